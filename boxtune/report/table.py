"""A run's trials as a table, for a terminal of any width, and as CSV; why trials wait or failed stands below it."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from boxtune.report.text import assignment, duration, number
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Trial
from trial_entry.printable import printable

_STYLES = {
    Condition.CREATED: "dim",
    Condition.RUNNING: "cyan",
    Condition.SUCCEEDED: "",
    Condition.FAILED: "red",
    Condition.METRICS_UNAVAILABLE: "red",
    Condition.KILLED: "yellow",
    Condition.EARLY_STOPPED: "yellow",
    Condition.PAUSED: "blue",
}
_FEW_NAMES = 3  # of trials that say the same
_ENDLESS = 10_000  # columns: a table is measured as if it had them


@dataclass(frozen=True)
class ShownTrials:
    """What is shown of a run's trials.

    Attributes:
        table: one row a trial.
        notes: lines below it: which columns did not fit, why trials wait or failed.
    """

    table: Table
    notes: tuple[str, ...]


def shown_trials(run: Run, console: Console, most: int | None = None) -> ShownTrials:
    """The table as far as it fits the console's width, and what to say below it.

    Columns that do not fit are left out, the last first: metrics beside the objective, then parameters.

    Args:
        most: of the suggested trials, show only this many of the newest.
    """
    others = [*run.experiment.objective.metrics[:0:-1], *(spec.name for spec in reversed(run.experiment.parameters))]
    hidden: list[str] = []
    table = trials_table(run, most)
    while others and Measurement.get(console, console.options.update_width(_ENDLESS), table).maximum > console.width:
        hidden.append(others.pop(0))
        table = trials_table(run, most, hidden)
    narrow = [f"no room for {', '.join(hidden)}: a wider terminal shows all, and so does show --csv"] if hidden else []
    return ShownTrials(table, (*narrow, *_reasons(run, most)))


def trials_table(run: Run, most: int | None = None, hidden: Collection[str] = ()) -> Table:
    """One row a trial, the baseline apart and first, repeats apart and last; the best is bold and marked.

    Args:
        most: of the suggested trials, show only this many of the newest.
        hidden: parameters and metrics that have no column.
    """
    names = [spec.name for spec in run.experiment.parameters if spec.name not in hidden]
    metrics = [name for name in run.experiment.objective.metrics if name not in hidden]
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("trial", no_wrap=True)
    for name in (*names, *metrics, "time"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state", overflow="fold")
    newest = _newest(run, most)
    if run.baseline is not None:
        cells = _cells(run, run.baseline, names, metrics)
        table.add_row(*cells, style=_STYLES[run.baseline.condition], end_section=True)
    for place, trial in enumerate(newest, start=1):
        style = "bold green" if _is_best(run, trial) else _STYLES[trial.condition]
        is_last = place == len(newest) and bool(run.repeats)
        table.add_row(*_cells(run, trial, names, metrics), style=style, end_section=is_last)
    for trial in run.repeats:
        table.add_row(*_cells(run, trial, names, metrics), style=_STYLES[trial.condition] or "dim")
    return table


def trials_csv(run: Run) -> str:
    """A line a trial with every digit, the baseline first, no repeats; `condition` and `reason` as Katib says them."""
    names, objective = [spec.name for spec in run.experiment.parameters], run.experiment.objective
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            *("trial", *names, *objective.metrics, "condition", "steps", "reason", "same_as", "seconds"),
            *("started", "ended", "best"),
        ]
    )
    for trial in run.everything:
        writer.writerow(
            [
                trial.name,
                *(trial.assignments.get(name, "") for name in names),
                *(trial.value(objective, metric) for metric in objective.metrics),
                str(trial.condition),
                "" if trial.steps is None else trial.steps,
                trial.reason,
                trial.same_as,
                "" if trial.condition.open else f"{trial.seconds:.1f}",
                trial.started,
                trial.ended,
                "yes" if _is_best(run, trial) else "",
            ]
        )
    return text.getvalue()


def _newest(run: Run, most: int | None) -> Sequence[Trial]:
    return run.trials if most is None else run.trials[-most:]


def _is_best(run: Run, trial: Trial) -> bool:
    return run.optimal is not None and trial.name == run.optimal.name


def _reasons(run: Run, most: int | None) -> Iterator[str]:
    """Why trials wait or ended as they did, a line for those that say the same."""
    trials = [*([run.baseline] if run.baseline is not None else []), *_newest(run, most), *run.repeats]
    said = {trial.name: trial.reason or _same_as(run, trial) for trial in trials}
    for reason in dict.fromkeys(filter(None, said.values())):
        names = [_short(run, trial) for trial in trials if said[trial.name] == reason]
        more = f" and {len(names) - _FEW_NAMES} more" if len(names) > _FEW_NAMES else ""
        yield f"{', '.join(names[:_FEW_NAMES])}{more}: {reason}"


def _short(run: Run, trial: Trial) -> str:
    """A trial's name without the Experiment's."""
    return "baseline" if trial.is_baseline else trial.name.removeprefix(f"{run.experiment.name}-")


def _same_as(run: Run, trial: Trial) -> str:
    return f"same config as {trial.same_as.removeprefix(f'{run.experiment.name}-')}" if trial.same_as else ""


def _cells(run: Run, trial: Trial, names: Sequence[str], metrics: Sequence[str]) -> list[Text]:
    values = [assignment(trial.assignments[name]) if name in trial.assignments else "–" for name in names]
    measured = [number(trial.value(run.experiment.objective, metric)) for metric in metrics]
    seconds = "" if trial.condition.open else duration(trial.seconds)
    rung = f" at step {trial.steps}" if trial.condition is Condition.PAUSED else ""
    state = f"{trial.condition}{rung}{' ← best' if _is_best(run, trial) else ''}"
    return [Text(printable(cell)) for cell in (_short(run, trial), *values, *measured, seconds, state)]
