"""A run: an Experiment with its trials and where it stands; read-only, wherever it ran."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from boxtune.experiment.experiment import Experiment
from boxtune.runs.confirmation import Confirmation
from boxtune.runs.prior import PriorRun
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
        waits: why no trial begins although it is not over, one line; empty where nothing keeps it.
        started, ended: RFC 3339; `ended` is empty while it is not over.
        folder: where it lies, or None.
        repeats: trainings of the best and of the base config with seeds of their own, in the order of their creation;
            no trials of the search.
        confirmation: what they gave; None before enough have ended.
        warm_start: earlier runs that its search was told of; their trials are none of it.
        recorded: whether it ran elsewhere, and `folder` is a record of it, with which nothing goes on.
    """

    experiment: Experiment
    trials: tuple[Trial, ...]
    baseline: Trial | None
    condition: RunCondition
    message: str
    started: str
    ended: str = ""
    folder: Path | None = None
    waits: str = ""
    repeats: tuple[Trial, ...] = ()
    confirmation: Confirmation | None = None
    warm_start: tuple[PriorRun, ...] = ()
    recorded: bool = False

    @cached_property
    def optimal(self) -> Trial | None:
        """The best measured trial; of equals the first."""
        objective = self.experiment.objective
        ordered = objective.best_first(self.trials, lambda trial: trial.measured_value(objective))
        return next(iter(ordered), None)

    @property
    def chosen(self) -> Trial | None:
        """What to go on with: the winner of the confirmation, where there is one, else the best trial."""
        won = self.confirmation.winner.trial if self.confirmation is not None else ""
        return next((trial for trial in self.everything if trial.name == won), self.optimal)

    @property
    def everything(self) -> tuple[Trial, ...]:
        """The baseline, where there is one, and the suggested trials; without repeats."""
        return (*([self.baseline] if self.baseline is not None else []), *self.trials)
