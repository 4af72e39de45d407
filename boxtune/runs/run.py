"""A run: an Experiment with its trials and where it stands; read-only, wherever it ran."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from boxtune.experiment.experiment import Experiment
from boxtune.runs.trial import Trial


class RunCondition(StrEnum):
    """Katib's conditions of an Experiment, as far as they tell how it goes on."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True)
class Run:
    """A search, finished or not.

    Attributes:
        experiment: what is searched.
        trials: the suggested ones, in the order of their numbers.
        baseline: the base config's own values, or None.
        condition, message: where it stands, and why.
        started, ended: RFC 3339; `ended` is empty while it is not over.
        folder: where it lies, or None.
    """

    experiment: Experiment
    trials: tuple[Trial, ...]
    baseline: Trial | None
    condition: RunCondition
    message: str
    started: str
    ended: str = ""
    folder: Path | None = None

    @cached_property
    def optimal(self) -> Trial | None:
        """The best measured trial; of equals the first."""
        objective, best, best_value = self.experiment.objective, None, None
        for trial in self.trials:
            value = trial.measured_value(objective)
            if value is not None and (best_value is None or objective.better(value, best_value)):
                best, best_value = trial, value
        return best

    @property
    def everything(self) -> tuple[Trial, ...]:
        """The baseline, where there is one, and the suggested trials."""
        return (*([self.baseline] if self.baseline is not None else []), *self.trials)
