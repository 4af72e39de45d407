"""The policy around a sampler: what was suggested, what failed, and which points of a finite space are left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from boxtune.experiment.space import Assignments, inside
from boxtune.runs.trial import Condition, Role, Trial
from boxtune.search.fresh_points import FreshPoints
from boxtune.search.memory import Memory
from boxtune.search.policy import Policy, SearchProblem, Suggestion, next_number
from boxtune.search.sampler import ATTEMPTS, Sampler
from boxtune.search.warm_start import promising, whole_values

MakeSampler = Callable[[SearchProblem], Sampler]


class _Event(NamedTuple):
    """One thing that a sampler is told: a trial was asked for, ended, or is a baseline that gave a value."""

    place: int
    kind: Literal["asked", "ended", "observed"]
    number: int | None
    assignments: Assignments
    value: float | None


class SamplingPolicy:
    """A `Policy` on any sampler.

    In a finite space no point is suggested twice: a repeated training would only measure its noise. A failed trial
    counts as the worst value so far, so that its neighbourhood is left, not forgotten.

    Earlier runs' values, where they are this one's, are told first, as a baseline's is; the best of earlier runs'
    points are the first that are suggested.

    What the trials tell is told to a fresh sampler in the order in which it happened. A sampler that was told the
    beginning of the same story before is told the rest: that changes nothing but the time that it takes.
    """

    def __init__(self, problem: SearchProblem, make: MakeSampler, attempts: int = ATTEMPTS) -> None:
        """
        Args:
            attempts: to draw a point that may be suggested.

        Raises:
            ExperimentError: the sampler cannot search this space.
        """
        self._problem = problem
        self._make = make
        self._attempts = attempts
        self._known: Sequence[Trial] = ()  # as they were when they were told
        self._last_place = -1
        self._books = _Books(problem, make(problem))

    def suggest(self, trials: Sequence[Trial]) -> Suggestion | None:
        """The next trial after `trials`; None once every point of a finite space has been suggested, and where nothing
        that is left of the space fits in memory.
        """
        news = self._news(trials)
        if news is None:
            self._last_place, self._books = -1, _Books(self._problem, self._make(self._problem))
            news = [event for trial in trials for event in self._events(trial)]
        for event in sorted(news, key=lambda each: each.place):
            self._books.take(event)
            self._last_place = event.place
        self._known = tuple(trials)
        number = next_number(trials)
        fits = Memory(trials, self._problem.surroundings.footprint).fits
        assignments = self._books.fresh(number, fits, self._attempts)
        return Suggestion(number, assignments) if assignments is not None else None

    def _news(self, trials: Sequence[Trial]) -> list[_Event] | None:
        """What has happened since the trials that were told; None where those are not how this story began."""
        if len(trials) < len(self._known):
            return None
        news: list[_Event] = []
        for known, trial in zip(self._known, trials, strict=False):
            if known is trial:
                continue
            before, now = list(self._events(known)), list(self._events(trial))
            if now[: len(before)] != before:
                return None
            news += now[len(before) :]
        news += [event for trial in trials[len(self._known) :] for event in self._events(trial)]
        return news if all(event.place > self._last_place for event in news) else None

    def _events(self, trial: Trial) -> Iterator[_Event]:
        """What a sampler is told of one trial."""
        if trial.forgotten or trial.condition is Condition.KILLED:
            return  # one that the run ended with itself has told nothing: its point may come again
        if trial.role is Role.SUGGESTED:
            yield _Event(trial.created, "asked", trial.number, trial.assignments, None)
        if trial.completed is None:
            return
        value = trial.measured_value(self._problem.objective)
        if trial.role is Role.SUGGESTED:
            yield _Event(trial.completed, "ended", trial.number, trial.assignments, value)
        elif value is not None and inside(self._problem.space, trial.assignments):
            yield _Event(trial.completed, "observed", None, trial.assignments, value)


class _Books:
    """What one sampler has been told."""

    def __init__(self, problem: SearchProblem, sampler: Sampler) -> None:
        self._sampler = sampler
        self._maximize = problem.objective.maximize
        self._points = FreshPoints(problem.space, problem.seed)
        self._failed: list[int] = []  # before there was any value to count them as
        self._worst: float | None = None
        self._first = promising(problem)
        for assignments, value in whole_values(problem):
            self._take_worst(value)
            sampler.observed(assignments, value)

    def take(self, event: _Event) -> None:
        if event.number is None:
            if event.value is not None:
                self._take_worst(event.value)
                self._sampler.observed(event.assignments, event.value)
        elif event.kind == "asked":
            self._points.take(event.assignments)
            self._sampler.asked(event.number, event.assignments)
        else:
            self._ended(event.number, event.value)

    def _ended(self, number: int, value: float | None) -> None:
        if value is not None:
            self._take_worst(value)
        if self._worst is None:
            self._failed.append(number)
            return
        self._sampler.ended(number, self._worst if value is None else value)
        for failed in self._failed:
            self._sampler.ended(failed, self._worst)
        self._failed = []

    def fresh(self, number: int, fits: Callable[[Assignments], bool], attempts: int) -> Assignments | None:
        """A suggestion that was not made before and fits; None where there is none left."""
        first = next((each for each in self._first if not self._points.has(each) and fits(each)), None)
        return first or self._points.fresh(number, lambda attempt: self._sampler.draw(number, attempt), fits, attempts)

    def _take_worst(self, value: float) -> None:
        if self._worst is None:
            self._worst = value
        self._worst = min(self._worst, value) if self._maximize else max(self._worst, value)


def sampling(make: MakeSampler, attempts: int = ATTEMPTS) -> Callable[[SearchProblem], Policy]:
    """How the policy of an algorithm is made that draws one trial at a time.

    Args:
        make: its sampler for a problem; raises ExperimentError for a space that it cannot search.
        attempts: to draw a point that may be suggested, before one that is left is taken at random.
    """
    return lambda problem: SamplingPolicy(problem, make, attempts)
