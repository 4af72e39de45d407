"""A run on this machine, as far as its journal tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

import immutables

from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import Json, JsonObject
from boxtune.runs.confirmation import Confirmation
from boxtune.runs.prior import PriorRun
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Role, Trial

TRIALS_FOLDER = "trials"
RECORDED = "recorded"  # an option that boxtune run never has: it does not go on with such a folder
COUNT_FIELDS = ("parallelTrialCount", "maxTrialCount", "maxFailedTrialCount")
RUNNING = "Experiment is running"


@dataclass(frozen=True)
class RunState:
    """A run, as far as its journal tells.

    Attributes:
        folder: where the run lies.
        experiment: with its counts as they are now.
        options: what of the command line must stay the same.
        trials: by name, in no order; a map that shares what it can with the one before, so that thousands of events
            cost little.
        condition, message, started, ended: of the run; `ended` is empty while it is not over.
        seconds: that runners have spent on it.
        events: how many there were.
        volumes: folders that the run was begun with, by the name of a volume or claim.
        confirmation: what its repeats gave, or None.
        warm_start: earlier runs that its search was told of.
    """

    folder: Path
    experiment: Experiment
    options: Mapping[str, Json]
    started: str
    trials: immutables.Map[str, Trial] = immutables.Map()  # noqa: RUF009 (immutable)
    condition: RunCondition = RunCondition.RUNNING
    message: str = RUNNING
    ended: str = ""
    seconds: float = 0.0
    events: int = 1
    volumes: Mapping[str, Path] = field(default_factory=dict)
    confirmation: Confirmation | None = None
    warm_start: tuple[PriorRun, ...] = ()

    def in_order(self) -> list[Trial]:
        """The trials in the order of their creation."""
        return sorted(self.trials.values(), key=attrgetter("created"))

    def run(self) -> Run:
        """The run."""
        trials = self.in_order()
        return Run(
            self.experiment,
            tuple(trial for trial in trials if trial.role is Role.SUGGESTED),
            next((trial for trial in trials if trial.is_baseline), None),
            self.condition,
            self.message,
            self.started,
            self.ended,
            self.folder,
            repeats=tuple(trial for trial in trials if trial.role is Role.REPEAT),
            confirmation=self.confirmation,
            warm_start=self.warm_start,
            recorded=RECORDED in self.options,
        )


def without_counts(raw: JsonObject) -> dict[str, Json]:
    """An Experiment without what may be edited while it runs."""
    spec = {name: value for name, value in raw["spec"].items() if name not in COUNT_FIELDS}
    return {**raw, "spec": spec}
