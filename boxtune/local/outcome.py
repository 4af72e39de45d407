"""What became of a trial: Katib's condition, from its exit code and what its collector read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from boxtune.experiment.experiment import Experiment
from boxtune.local.running import RunningTrial
from boxtune.runs.collector import collect, objective_values
from boxtune.runs.endings import code_in_words, last_line
from boxtune.runs.model import Condition, Metric

_TAIL_BYTES = 8192


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        condition: Katib's.
        reason: one line, empty where it succeeded.
        exit_code: of its process.
        observation: the metrics that were read.
        first_values: of the objective, as many as early stopping looks at.
    """

    condition: Condition
    reason: str
    exit_code: int
    observation: Sequence[Metric]
    first_values: Sequence[float] = ()


def judge(experiment: Experiment, running: RunningTrial, code: int, first: int) -> Outcome:
    """The outcome of a process that has ended.

    Args:
        code: its exit code, negative for a signal.
        first: how many of its values early stopping looks at; 0 without early stopping.
    """
    command, ended_because = running.command, running.ended_because
    if ended_because or (code and not running.early_stopped):
        said = last_words(command.metrics) or last_words(command.log)
        meaning = ended_because or code_in_words(code)
        reason = f"{meaning}: {said}" if said and not ended_because else meaning
        return Outcome(Condition.FAILED, reason, code, ())
    collector, objective = experiment.collector, experiment.objective
    metrics = collect(command.metrics, objective.metrics, collector.filters, collector.file_format)
    found = metrics.get(objective.metric)
    if found is None or found.value(objective.strategies[objective.metric]) is None:
        seen = f"{objective.metric} was printed without a number" if found else f"{objective.metric} was never printed"
        return Outcome(
            Condition.METRICS_UNAVAILABLE, f"{seen} in {command.metrics}; the trial must print NAME=NUMBER", code, ()
        )
    condition = Condition.EARLY_STOPPED if running.early_stopped else Condition.SUCCEEDED
    reason = "worse than the median of the others" if running.early_stopped else ""
    values = objective_values(command.metrics, objective.metric, collector.filters, collector.file_format)
    return Outcome(condition, reason, code, tuple(metrics.values()), values[:first])


def last_words(log: Path) -> str:
    """The last line of a log, for people who ask why; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            return last_line(file.read().decode(errors="replace"))
    except OSError:
        return ""
