"""Steps: how many a trial has been asked to train, and all of them together.

A trial that goes on from its checkpoint is charged once for the steps before it; one that still runs, for all that it
was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from boxtune.runs.trial import Trial
from boxtune.search.policy import Schedule


def steps_of(trial: Trial, schedule: Schedule) -> int | None:
    """The steps that a trial's attempts were asked to train to; 0 before the first, None where that cannot be told."""
    furthest = 0
    for attempt in trial.attempts:
        steps = attempt.steps if attempt.steps is not None else schedule(trial.assignments)
        if steps is None:
            return None
        furthest = max(furthest, steps)
    return furthest


def steps_spent(trials: Iterable[Trial], schedule: Schedule) -> int:
    """Of all trials together; those whose steps cannot be told count as none."""
    return sum(steps_of(trial, schedule) or 0 for trial in trials)
