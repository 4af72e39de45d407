"""A trial, and what became of it, wherever it ran."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from boxtune.experiment.experiment import MetricStrategy, Objective
from boxtune.experiment.space import Assignments

UNAVAILABLE = "unavailable"


class Condition(StrEnum):
    """Katib's conditions of a trial."""

    CREATED = "Created"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    KILLED = "Killed"
    EARLY_STOPPED = "EarlyStopped"
    PAUSED = "Paused"  # Katib has none: trained to a rung, from where the search may promote it

    @property
    def open(self) -> bool:
        """Whether a process of the trial runs, or is to be started again if nobody's does."""
        return self in (Condition.CREATED, Condition.RUNNING)

    @property
    def ended(self) -> bool:
        """Whether the search has nothing more to do with the trial."""
        return not self.open and self is not Condition.PAUSED

    @property
    def measured(self) -> bool:
        """Whether its metrics count; an early-stopped trial's do, as in Katib, a paused one's only among its rung's."""
        return self in (Condition.SUCCEEDED, Condition.EARLY_STOPPED)

    @property
    def failed(self) -> bool:
        """Whether it counts against maxFailedTrialCount."""
        return self in (Condition.FAILED, Condition.METRICS_UNAVAILABLE)


class Role(StrEnum):
    """Why a trial is made."""

    BASELINE = "baseline"  # the base config's own values: the search is compared with it
    SUGGESTED = "suggested"  # by the search's policy
    REPEAT = "repeat"  # of another, with a seed of its own: how far the seed alone moves the objective


def baseline_name(experiment: str) -> str:
    """Of the trial of the base config's own values in a search of this name, whether or not there is one."""
    return f"{experiment}-{Role.BASELINE}"


def measurement(text: str) -> float | None:
    """The number that a trial has said; None where it is none, or not finite, which measures nothing."""
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Metric:
    """What a trial said of one metric, as text; `unavailable` where it said no number."""

    name: str
    minimum: str = UNAVAILABLE
    maximum: str = UNAVAILABLE
    latest: str = UNAVAILABLE

    def value(self, strategy: MetricStrategy) -> float | None:
        """The number that counts under a metricStrategy; None where there is none, or it is not finite."""
        chosen = {"min": self.minimum, "max": self.maximum, "latest": self.latest}[strategy]
        return measurement(self.latest if chosen == UNAVAILABLE else chosen)


def value_in(observation: Mapping[str, Metric], objective: Objective, metric: str | None = None) -> float | None:
    """The number of `metric` (the objective's, if left out) that counts, or None."""
    name = metric or objective.metric
    found = observation.get(name)
    return found.value(objective.strategies[name]) if found is not None else None


@dataclass(frozen=True)
class StopRule:
    """End the trial where the best of its first values is worse than this.

    Attributes:
        value: of the objective.
        start_step: how many values are looked at.
    """

    value: float
    start_step: int


@dataclass(frozen=True)
class Attempt:
    """One process of a trial; a trial that was cut off, or is promoted, has several, on the same MODEL_DIR.

    Attributes:
        started, ended: RFC 3339; `ended` is empty while it runs, and stays so where it was cut off.
        steps: to train to; None for the whole schedule.
        seconds: how long it ran; 0 while it has not ended by itself.
        exit_code: negative for a signal; None while it has not ended by itself.
        observation: what was measured until its end, by metric name.
    """

    started: str
    ended: str = ""
    steps: int | None = None
    seconds: float = 0.0
    exit_code: int | None = None
    observation: Mapping[str, Metric] = field(default_factory=dict)

    def value(self, objective: Objective) -> float | None:
        """The objective's number at its end, or None."""
        return value_in(self.observation, objective)


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes:
        name: unique in the run.
        role: why it was made.
        number: of the suggestion, from 0; None for what was not suggested.
        assignments: by parameter name. The baseline has those parameters that the base config has a value for.
        seed: of everything random in it; None where the trial draws it.
        condition, reason: what became of it; the reason is one line, empty where all is well.
        attempts: its processes, in their order.
        observation: its metrics by name.
        folder: what it left; None where it is not on this machine.
        stop_rule: the early-stopping rule that it was started with, or None.
        first_values: of the objective in the order of its reports, as many as early stopping looks at.
        same_as: the earlier trial whose config was the same, or empty.
        repeats: the name of the trial that it repeats with another seed (the baseline's for the base config, though
            none may have been made); empty where it repeats none.
        steps: that it trains to now, or has trained to; None for the whole schedule.
        created, completed: its places among the run's events; `completed` is None while it has not ended. So it can be
            told what was known when each trial was suggested.
        out_of_memory: whether it failed because its training did not fit.
        forgotten: whether that is to tell nothing any more, as on another GPU: for the search, and for what counts
            failures, there was no such trial.
    """

    name: str
    role: Role
    number: int | None
    assignments: Assignments
    seed: int | None = None
    condition: Condition = Condition.CREATED
    reason: str = ""
    attempts: tuple[Attempt, ...] = ()
    observation: Mapping[str, Metric] = field(default_factory=dict)
    folder: Path | None = None
    stop_rule: StopRule | None = None
    first_values: tuple[float, ...] = ()
    same_as: str = ""
    steps: int | None = None
    created: int = 0
    completed: int | None = None
    repeats: str = ""
    out_of_memory: bool = False
    forgotten: bool = False

    @property
    def has_fitted(self) -> bool:
        """Whether its training came to an end or to a rung: there was memory enough."""
        reached = self.condition.measured or self.condition is Condition.PAUSED
        return not self.out_of_memory and (reached or any(attempt.observation for attempt in self.attempts))

    @property
    def is_baseline(self) -> bool:
        """Whether this is the base config's own values."""
        return self.role is Role.BASELINE

    @property
    def started(self) -> str:
        """When it was first begun; empty before."""
        return self.attempts[0].started if self.attempts else ""

    @property
    def ended(self) -> str:
        """When it ended, or was paused; empty while it has not."""
        return self.attempts[-1].ended if self.attempts and not self.condition.open else ""

    @property
    def seconds(self) -> float:
        """How long its processes ran that ended by themselves."""
        return sum(attempt.seconds for attempt in self.attempts)

    @property
    def exit_code(self) -> int | None:
        """Of its last process; None while it runs."""
        return self.attempts[-1].exit_code if self.attempts else None

    def value(self, objective: Objective, metric: str | None = None) -> float | None:
        """The number of `metric` (the objective's, if left out) that counts, or None."""
        return value_in(self.observation, objective, metric)

    def measured_value(self, objective: Objective) -> float | None:
        """The objective's number where the trial counts as measured, or None."""
        return self.value(objective) if self.condition.measured else None
