"""The policy around a sampler: what was suggested, what failed, and which points of a finite space are left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from boxtune.experiment.space import Assignments, inside
from boxtune.runs.trial import Role, Trial
from boxtune.search.grid_points import GridPoints
from boxtune.search.policy import SearchProblem, Suggestion, next_number
from boxtune.search.sampler import ATTEMPTS, Algorithm, Sampler, mixed


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

    What the trials tell is told to a fresh sampler in the order in which it happened. A sampler that was told the
    beginning of the same story before is told the rest: that changes nothing but the time that it takes.
    """

    def __init__(self, problem: SearchProblem, algorithm: Algorithm) -> None:
        """
        Raises:
            ExperimentError: the algorithm cannot search this space.
        """
        self._problem = problem
        self._algorithm = algorithm
        self._known: Sequence[Trial] = ()  # as they were when they were told
        self._last_place = -1
        self._books = _Books(problem, algorithm.sampler(problem))

    def suggest(self, trials: Sequence[Trial]) -> Suggestion | None:
        """The next trial after `trials`; None once every point of a finite space has been suggested."""
        news = self._news(trials)
        if news is None:
            self._last_place, self._books = -1, _Books(self._problem, self._algorithm.sampler(self._problem))
            news = [event for trial in trials for event in self._events(trial)]
        for event in sorted(news, key=lambda each: each.place):
            self._books.take(event)
            self._last_place = event.place
        self._known = tuple(trials)
        number = next_number(trials)
        assignments = self._books.fresh(number)
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
        self._seed = problem.seed
        finite = all(spec.count is not None for spec in problem.space)
        self._points = GridPoints(problem.space) if finite else None
        self._suggested: set[tuple[str, ...]] = set()
        self._failed: list[int] = []  # before there was any value to count them as
        self._worst: float | None = None

    def take(self, event: _Event) -> None:
        if event.number is None:
            if event.value is not None:
                self._take_worst(event.value)
                self._sampler.observed(event.assignments, event.value)
        elif event.kind == "asked":
            self._suggested.add(_key(event.assignments))
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

    def fresh(self, number: int) -> Assignments | None:
        """A suggestion that was not made before; None where a finite space has none left."""
        if self._points is None:
            return self._sampler.draw(number, 0)
        if len(self._suggested) >= self._points.size:
            return None
        for attempt in range(ATTEMPTS):
            assignments = self._sampler.draw(number, attempt)
            if _key(assignments) not in self._suggested:
                return assignments
        return self._left(self._points, number)

    def _left(self, points: GridPoints, number: int) -> Assignments:
        """One of the points that are left, from a drawn place of the grid on."""
        start = mixed(self._seed, number) % points.size
        candidates = (points.point((start + step) % points.size) for step in range(points.size))
        return next(point for point in candidates if _key(point) not in self._suggested)

    def _take_worst(self, value: float) -> None:
        if self._worst is None:
            self._worst = value
        self._worst = min(self._worst, value) if self._maximize else max(self._worst, value)


def _key(assignments: Assignments) -> tuple[str, ...]:
    return tuple(assignments[name] for name in sorted(assignments))
