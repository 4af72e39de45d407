"""A run's curves: the objective of a trial at each step at which it was measured, read from what the trial left."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from boxtune.experiment.experiment import Objective
from boxtune.runs.run import Run
from boxtune.runs.trained_config import MODEL_DIR_LINK, trained_config
from boxtune.runs.trial import Trial
from trial_entry.contract.records import MetricRow, read_rows
from trial_entry.errors import TrialError

Curve = Mapping[int, float]  # the objective by training step; by the report's number where no step is known


class Curves:
    """Reads what trials left, and that of a trial which has ended only once."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[object, Curve]] = {}  # by trial, with what it was when it was read

    def of(self, run: Run) -> dict[str, Curve]:
        """The curve of every trial that has one, by the trial's name."""
        found = {}
        for trial in (*run.everything, *run.repeats):
            known = self._read.get(trial.name)
            stands = (trial.condition, len(trial.attempts))
            if known is None or known[0] != stands or trial.condition.open:
                known = stands, curve(trial, run.experiment.objective)
                self._read[trial.name] = known
            if known[1]:
                found[trial.name] = known[1]
        return found


def curve(trial: Trial, objective: Objective) -> Curve:
    """From metrics.json; where the trial's program writes none, from what its attempts gave, else its first reports."""
    rows = {
        row.step: row.metrics[objective.metric]
        for row in evaluations(trial)
        if math.isfinite(row.metrics.get(objective.metric, math.nan))
    }
    if rows:
        return rows
    at_rungs = {
        attempt.steps: value
        for attempt in trial.attempts
        if attempt.steps and (value := attempt.value(objective)) is not None
    }
    return at_rungs or {place: value for place, value in enumerate(trial.first_values, 1) if math.isfinite(value)}


def evaluations(trial: Trial) -> Sequence[MetricRow]:
    """A trial_entry trial's evaluations, oldest first; none where its MODEL_DIR is not here, or its record damaged.

    In a MODEL_DIR that others share (--model_root), those of trials that went on after it are not its own.
    """
    config = trained_config(trial)
    if config is None:
        return ()
    try:
        rows = read_rows(config.parent)
    except (TrialError, OSError):  # `boxtune best` and `train` say so of the trial that they need
        return ()
    ended = trial.ended if config.parent.name == MODEL_DIR_LINK else ""
    return [row for row in rows if not ended or row.timestamp <= ended]
