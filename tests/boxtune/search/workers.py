"""A search in simulated time: workers that take what a policy suggests, and trials that measure what a curve says."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from boxtune.experiment.space import Assignments
from boxtune.runs.trial import Attempt, Condition, Metric, Role, Trial
from boxtune.search.policy import Policy, Suggestion, next_number

Curve = Callable[[Assignments, int, int], Mapping[str, float] | None]
"""What a trial (its number) with these assignments measures at a step; None where it fails."""


@dataclass
class Workers:
    """Some workers at one search; a step takes one unit of time.

    Attributes:
        policy: what suggests.
        curve: what is measured.
        whole: steps of the whole training of assignments.
        count: how many workers there are.
        trials: by name, in the order of their creation.
        spent: steps that were asked for.
        ended: (time, steps spent until then, trial) of each attempt that ended, in the order of time.
        idle: whether a worker had nothing to do while another one worked, at each time that one asked in vain.
    """

    policy: Policy
    curve: Curve
    whole: Callable[[Assignments], int]
    count: int = 1
    trials: dict[str, Trial] = field(default_factory=dict)
    spent: int = 0
    ended: list[tuple[int, int, Trial]] = field(default_factory=list)
    idle: list[int] = field(default_factory=list)
    suggested: list[Suggestion] = field(default_factory=list)
    now: int = 0

    def __post_init__(self) -> None:
        self._events = itertools.count(1)
        self._running: list[tuple[int, int, str]] = []  # (end, order, trial)

    def run(self, attempts: int = 10_000, until: Callable[[], bool] = lambda: False) -> None:
        """Work until nothing is suggested and nothing runs, so many attempts were begun by this call, or `until` says
        so after an attempt has ended.
        """
        while not until():
            while len(self._running) < self.count and attempts > 0:
                suggestion = self.policy.suggest(list(self.trials.values()))
                if suggestion is None:
                    if self._running:
                        self.idle.append(self.now)
                    break
                attempts -= 1
                self.begin(suggestion)
            if not self._running:
                return
            self._end_next()

    def begin(self, suggestion: Suggestion) -> None:
        """Start an attempt."""
        self.suggested.append(suggestion)
        whole = self.whole(suggestion.assignments)
        target = suggestion.steps if suggestion.steps is not None else whole
        name = suggestion.goes_on_from
        if name:
            trial = self.trials[name]
            assert trial.condition is Condition.PAUSED
            assert suggestion.assignments == trial.assignments
        else:
            number = next_number(list(self.trials.values()))
            assert suggestion.number == number
            name = f"t-{number:04d}"
            trial = Trial(name, Role.SUGGESTED, number, suggestion.assignments, created=next(self._events))
        before = max((attempt.steps or whole for attempt in trial.attempts), default=0)
        attempt = Attempt(str(self.now), "", suggestion.steps)
        self.trials[name] = replace(trial, condition=Condition.RUNNING, attempts=(*trial.attempts, attempt))
        self.spent += target - before
        heapq.heappush(self._running, (self.now + target - before, next(self._events), name))

    def _end_next(self) -> None:
        self.now, _, name = heapq.heappop(self._running)
        trial = self.trials[name]
        whole = self.whole(trial.assignments)
        last = trial.attempts[-1]
        measured = self.curve(trial.assignments, trial.number or 0, last.steps if last.steps is not None else whole)
        condition = Condition.SUCCEEDED if last.steps is None else Condition.PAUSED
        if measured is None:
            condition = Condition.FAILED
        texts = {metric: repr(float(value)) for metric, value in (measured or {}).items()}
        observation = {metric: Metric(metric, text, text, text) for metric, text in texts.items()}
        ended = replace(last, ended=str(self.now), observation=observation, exit_code=0)
        self.trials[name] = replace(
            trial,
            condition=condition,
            attempts=(*trial.attempts[:-1], ended),
            observation=observation,
            completed=None if condition is Condition.PAUSED else next(self._events),
        )
        self.ended.append((self.now, self.spent, self.trials[name]))
