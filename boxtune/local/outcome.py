"""What became of a trial: Katib's condition, from its exit code and what its collector read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from boxtune.execution.jobs import EndedJob
from boxtune.experiment.experiment import Experiment
from boxtune.runs.collector import collect, objective_values
from boxtune.runs.endings import code_in_words, last_line
from boxtune.runs.trial import Condition, Metric, StopRule, Trial

_TAIL_BYTES = 8192


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        condition: Katib's.
        reason: one line, empty where it succeeded.
        exit_code: of its process; None where it had none.
        observation: the metrics that were read.
        first_values: of the objective, as many as early stopping looks at.
    """

    condition: Condition
    reason: str
    exit_code: int | None
    observation: Sequence[Metric] = ()
    first_values: Sequence[float] = ()


def judge(
    experiment: Experiment, ended: EndedJob, metrics_file: Path, stopped_by: StopRule | None, first: int
) -> Outcome:
    """The outcome of a process that has ended.

    Args:
        metrics_file: what the collector reads.
        stopped_by: the rule of early stopping by which it was asked to end, or None.
        first: how many of its values early stopping looks at; 0 without early stopping.
    """
    code = ended.code
    if ended.why or (code and stopped_by is None):
        said = last_words(metrics_file) or last_words(ended.job.log)
        meaning = ended.why or code_in_words(code)
        return Outcome(Condition.FAILED, f"{meaning}: {said}" if said and not ended.why else meaning, code)
    collector, objective = experiment.collector, experiment.objective
    metrics = collect(metrics_file, objective.metrics, collector.filters, collector.file_format)
    found = metrics.get(objective.metric)
    if found is None or found.value(objective.strategies[objective.metric]) is None:
        seen = f"{objective.metric} was printed without a number" if found else f"{objective.metric} was never printed"
        reason = f"{seen} in {metrics_file}; the trial must print NAME=NUMBER"
        return Outcome(Condition.METRICS_UNAVAILABLE, reason, code)
    values = objective_values(metrics_file, objective.metric, collector.filters, collector.file_format)
    if stopped_by is None:
        return Outcome(Condition.SUCCEEDED, "", code, tuple(metrics.values()), values[:first])
    best = (max if objective.maximize else min)(values[: stopped_by.start_step])
    reached = f"{best:.4g} after {stopped_by.start_step} reports"
    reason = f"{reached} is worse than the median of the others, {stopped_by.value:.4g}"
    return Outcome(Condition.EARLY_STOPPED, reason, code, tuple(metrics.values()), values[:first])


def taken_over(trial: Trial) -> Outcome:
    """The outcome of a trial whose config was the same as that of `trial`, which has ended."""
    reason = f"the result of {trial.name}, whose config is the same"
    return Outcome(trial.condition, reason, None, tuple(trial.observation.values()), trial.first_values)


def last_words(log: Path) -> str:
    """The last line of a log, for people who ask why; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            return last_line(file.read().decode(errors="replace"))
    except OSError:
        return ""
