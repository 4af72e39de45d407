"""What became of a trial: Katib's condition, from its exit code and what its collector read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from boxtune.execution.jobs import EndedJob
from boxtune.experiment.experiment import DEFAULT_FILTER, Experiment
from boxtune.experiment.shell_line import is_marked, mark_file
from boxtune.runs.collector import collect, comma_line, is_json_number, named_line, objective_values
from boxtune.runs.endings import code_in_words, is_out_of_memory, last_line, shortened
from boxtune.runs.trial import Condition, Metric, StopRule, Trial, value_in

_TAIL_BYTES = 8192
_SHOWN = 80  # characters of a line in a reason


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        condition: Katib's.
        reason: one line, empty where it succeeded and nothing is to be said.
        exit_code: of its process; None where it had none.
        observation: the metrics that were read.
        first_values: of the objective, as many as early stopping looks at.
        out_of_memory: whether its training did not fit.
    """

    condition: Condition
    reason: str
    exit_code: int | None
    observation: Sequence[Metric] = ()
    first_values: Sequence[float] = ()
    out_of_memory: bool = False


def judge(
    experiment: Experiment, ended: EndedJob, metrics_file: Path, stopped_by: StopRule | None, first: int, own: bool
) -> Outcome:
    """The outcome of a process that has ended.

    Args:
        metrics_file: what the collector reads.
        stopped_by: the rule of early stopping by which it was asked to end, or None.
        first: how many of its values early stopping looks at; 0 without early stopping.
        own: whether it was `python -m trial_entry`, without a shell line around it.
    """
    code = ended.code
    if ended.why or (code and stopped_by is None):
        said = last_words(metrics_file) or last_words(ended.job.log)
        meaning = ended.why or code_in_words(code, own)
        reason = f"{meaning}: {said}" if said and not ended.why else meaning
        short = not ended.why and ended.pid is not None and is_out_of_memory(code, own)
        return Outcome(Condition.FAILED, reason, code, out_of_memory=short)
    if not own and stopped_by is None and ended.pid is not None:
        mark = mark_file(metrics_file, ended.pid)
        if not is_marked(mark):
            what = f"the command's shell ended before it had written {mark}, without which Katib's collector fails"
            return Outcome(Condition.FAILED, f"{what}; leave exit and exec out of the command", code)
    collector, objective = experiment.collector, experiment.objective
    metrics = collect(metrics_file, objective.metrics, collector.filters, collector.file_format)
    if value_in(metrics, objective) is None:
        reason = _unmeasured(experiment, metrics.get(objective.metric), metrics_file, ended.job.log)
        return Outcome(Condition.METRICS_UNAVAILABLE, reason, code)
    values = objective_values(metrics_file, objective.metric, collector.filters, collector.file_format)
    if stopped_by is None:
        return Outcome(
            Condition.SUCCEEDED, _misread(experiment, metrics_file), code, tuple(metrics.values()), values[:first]
        )
    best = (max if objective.maximize else min)(values[: stopped_by.start_step])
    reached = f"{best:.4g} after {stopped_by.start_step} reports"
    reason = f"{reached} is worse than the median of the others, {stopped_by.value:.4g}"
    return Outcome(Condition.EARLY_STOPPED, reason, code, tuple(metrics.values()), values[:first])


def _unmeasured(experiment: Experiment, found: Metric | None, file: Path, log: Path) -> str:
    """Why a trial that ended well has no number of the objective.

    Args:
        found: what was read of the objective.
        file: what the collector reads.
        log: where the rest of the output went.
    """
    collector, metric = experiment.collector, experiment.objective.metric
    if found is not None and found.latest:
        value = shortened(found.latest)
        return f"{metric} is {value} in {file}, which is no measurement; the trial must print a finite number"
    if found is not None:
        return f"{metric} was printed without a number in {file}; the trial must print NAME=NUMBER (nan is none)"
    if collector.file_format == "JSON":
        seen = "is a number" if is_json_number(file, metric) else "stands in no line"
        return f'{metric} {seen} in {file}; each line must be an object with texts, such as {{"{metric}": "0.9"}}'
    if log != file and collect(log, [metric], collector.filters):
        where = "only the last command's output goes there; put the commands in { …; }"
        if collector.kind == "File":
            where = "under the File collector the trial writes that file itself"
        return f"{metric} was printed to {log}, not to {file}, where the collector reads; {where}"
    return _never_printed(experiment, file)


def _never_printed(experiment: Experiment, file: Path) -> str:
    """Why no filter finds the objective in what was printed."""
    collector, metric = experiment.collector, experiment.objective.metric
    if not file.is_file():
        return f"{metric} was never printed: there is no {file}, which the trial must write"
    how = "NAME=NUMBER" if collector.filters == (DEFAULT_FILTER,) else f"what {', '.join(collector.filters)} finds"
    line = named_line(file, metric)
    instead = f' as the filter reads it, but as "{line[:_SHOWN]}"' if line else ""
    other = ", or give metricsCollectorSpec.source.filter.metricsFormat a filter that finds it" if line else ""
    return f"{metric} was never printed in {file}{instead}; the trial must print {how}{other}"


def _misread(experiment: Experiment, file: Path) -> str:
    """What of the objective's numbers was read as another one, as Katib's collector reads it too; or empty."""
    collector = experiment.collector
    if collector.filters != (DEFAULT_FILTER,) or collector.file_format == "JSON":
        return ""
    line = comma_line(file, experiment.objective.metric)
    return f'"{line[:_SHOWN]}" was read up to its comma; print the number with a point' if line else ""


def paused(outcome: Outcome) -> Outcome:
    """The outcome of a trial that has come well to the end of a rung."""
    return replace(outcome, condition=Condition.PAUSED)


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
