"""Rungs: the steps at which a training is measured and may be left, and how far each trial of a search has come.

A rung is the whole training cut short: the same schedule, left at a share of its steps, and gone on with from the
checkpoint where the trial is promoted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from boxtune.runs.trial import Attempt, Condition, Metric, Trial

_SHARE = re.compile(r"[0-9]+/[0-9]+|[0-9]+\.?[0-9]*|\.[0-9]+")
_MOST_DIGITS = 20
Observation = Mapping[str, Metric]
Shares = tuple[Fraction, ...]


def read_shares(text: str) -> Shares:
    """The shares of the whole training that `1/9,1/3,1` or `0.1, 0.3, 1` name.

    Raises:
        ValueError: they are no numbers, do not increase, or do not end in 1.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(_SHARE.fullmatch(part) and len(part) <= _MOST_DIGITS for part in parts):
        raise ValueError(text)
    try:
        shares = tuple(Fraction(part) for part in parts)
    except ZeroDivisionError:
        raise ValueError(text) from None
    if shares[0] <= 0 or shares[-1] != 1 or list(shares) != sorted(set(shares)):
        raise ValueError(text)
    return shares


def rung_steps(shares: Shares, whole: int) -> tuple[int, ...] | None:
    """The steps to train to at each rung of a training of `whole` steps; None where two of them would be the same."""
    steps = tuple(max(1, round(share * whole)) for share in shares)
    return steps if len(set(steps)) == len(steps) else None


def shortest_training(shares: Shares) -> int:
    """The fewest steps of a whole training whose rungs are all different, and so in every longer one."""
    apart = min((higher - lower for lower, higher in pairwise(shares)), default=Fraction(1))
    # Rungs that are a whole step apart are never rounded to the same one.
    whole = -(-apart.denominator // apart.numerator)
    while whole > 1 and rung_steps(shares, whole - 1) is not None:
        whole -= 1
    return whole


@dataclass(frozen=True)
class Climb:
    """How far one trial has come.

    Attributes:
        trial: it.
        steps: of its rungs.
        results: what was measured at each rung that it has completed, by the rung's place; None where it failed.
        aim: the highest rung that it was asked to train to; -1 before it was asked.
    """

    trial: Trial
    steps: tuple[int, ...]
    results: Mapping[int, Observation | None] = field(default_factory=dict)
    aim: int = -1

    @property
    def rung(self) -> int:
        """The highest rung that it has completed; -1 before the lowest."""
        return max(self.results, default=-1)

    @property
    def is_whole(self) -> bool:
        """Whether it was trained whole, and measured."""
        return self.results.get(len(self.steps) - 1) is not None

    @property
    def can_go_on(self) -> bool:
        """Whether it waits at its rung, to be promoted or not."""
        return self.trial.condition is Condition.PAUSED and self.rung < len(self.steps) - 1

    @property
    def is_lost(self) -> bool:
        """Whether it ended without a result where it went."""
        return self.trial.condition.failed or self.trial.condition is Condition.KILLED

    @property
    def spent(self) -> int:
        """The steps that it was asked to train, all together; one that is to be begun is asked for its lowest rung."""
        if self.aim >= 0:
            return self.steps[self.aim]
        return self.steps[0] if self.trial.condition.open else 0

    @property
    def missing(self) -> int:
        """The steps from where it was asked to train to, to the whole."""
        return self.steps[-1] - self.spent


def climb(trial: Trial, steps: tuple[int, ...]) -> Climb:
    """How far `trial` has come on rungs of these steps."""
    attempts = trial.attempts
    if not attempts:
        return Climb(trial, steps, _without_attempts(trial, len(steps) - 1))
    results: dict[int, Observation | None] = {}
    for attempt in attempts[:-1]:
        if attempt.ended and (place := _place(attempt, steps)) >= 0:  # else it was cut off
            results[place] = attempt.observation
    place = _place(attempts[-1], steps)
    if place >= 0 and trial.condition.failed:
        results[place] = None
    elif place >= 0 and (trial.condition.measured or trial.condition is Condition.PAUSED):
        results[place] = attempts[-1].observation or trial.observation
    return Climb(trial, steps, results, max(_place(attempt, steps) for attempt in attempts))


def _place(attempt: Attempt, steps: Sequence[int]) -> int:
    """The rung that an attempt trains to; -1 where it is below the lowest."""
    if attempt.steps is None:
        return len(steps) - 1
    return sum(step <= attempt.steps for step in steps) - 1


def _without_attempts(trial: Trial, top: int) -> Mapping[int, Observation | None]:
    """Of a trial that never ran: it failed before it could, or took another's result over, which was trained whole."""
    if trial.condition.failed:
        return {0: None}
    return {top: trial.observation} if trial.condition.measured else {}
