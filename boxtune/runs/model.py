"""A run: an Experiment and what became of its trials, wherever they ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from boxtune.experiment.experiment import Experiment, Objective
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

    @property
    def ended(self) -> bool:
        """Whether the trial will not change any more."""
        return self not in (Condition.CREATED, Condition.RUNNING)

    @property
    def measured(self) -> bool:
        """Whether its metrics count; an early-stopped trial's do, as in Katib."""
        return self in (Condition.SUCCEEDED, Condition.EARLY_STOPPED)

    @property
    def failed(self) -> bool:
        """Whether it counts against maxFailedTrialCount."""
        return self in (Condition.FAILED, Condition.METRICS_UNAVAILABLE)


@dataclass(frozen=True)
class Metric:
    """What a trial said of one metric, as text; `unavailable` where it said no number."""

    name: str
    minimum: str = UNAVAILABLE
    maximum: str = UNAVAILABLE
    latest: str = UNAVAILABLE

    def value(self, strategy: str) -> float | None:
        """The number that counts under a metricStrategy, or None."""
        chosen = {"min": self.minimum, "max": self.maximum, "latest": self.latest}[strategy]
        try:
            return float(self.latest if chosen == UNAVAILABLE else chosen)
        except ValueError:
            return None


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
class Trial:
    """One trial.

    Attributes:
        name: unique in the run.
        number: of the suggestion, from 0; None for the baseline, which is no suggestion.
        assignments: by parameter name. The baseline has those parameters that the base config has a value for.
        condition, reason: what became of it; the reason is one line, empty where all is well.
        exit_code: of its process; negative for a signal, None while it runs.
        observation: its metrics by name.
        seconds: how long its process ran, over all attempts that ended by themselves.
        folder: what it left.
        stop_rule: the early-stopping rule that it was started with, or None.
        first_values: of the objective, as many as early stopping looks at; empty without early stopping.
    """

    name: str
    number: int | None
    assignments: Assignments
    condition: Condition = Condition.CREATED
    reason: str = ""
    exit_code: int | None = None
    observation: Mapping[str, Metric] = field(default_factory=dict)
    seconds: float = 0.0
    started: str = ""
    ended: str = ""
    folder: Path | None = None
    stop_rule: StopRule | None = None
    first_values: tuple[float, ...] = ()

    @property
    def is_baseline(self) -> bool:
        """Whether this is the base config's own values."""
        return self.number is None

    def value(self, objective: Objective, metric: str | None = None) -> float | None:
        """The number of `metric` (the objective's, if left out) that counts, or None."""
        name = metric or objective.metric
        found = self.observation.get(name)
        return found.value(objective.strategies[name]) if found is not None else None


@dataclass(frozen=True)
class Run:
    """A search, finished or not.

    Attributes:
        experiment: what is searched.
        trials: the suggested ones, in the order of their numbers.
        baseline: the base config's own values, or None.
        condition: Running, Succeeded or Failed, as Katib says it.
        message: why.
        started, ended: RFC 3339; `ended` is empty while it is not over.
        folder: where it lies, or None.
    """

    experiment: Experiment
    trials: tuple[Trial, ...]
    baseline: Trial | None
    condition: str
    message: str
    started: str
    ended: str = ""
    folder: Path | None = None

    @property
    def optimal(self) -> Trial | None:
        """The best measured trial; of equals the first."""
        objective, best, best_value = self.experiment.objective, None, None
        for trial in self.trials:
            value = trial.value(objective) if trial.condition.measured else None
            if value is not None and (best_value is None or objective.better(value, best_value)):
                best, best_value = trial, value
        return best

    @property
    def everything(self) -> tuple[Trial, ...]:
        """The baseline, where there is one, and the suggested trials."""
        return (*([self.baseline] if self.baseline is not None else []), *self.trials)
