"""A run's trials as a table: for the terminal, and as CSV."""

from __future__ import annotations

import csv
import io

from rich.table import Table
from rich.text import Text

from boxtune.report.text import assignment, duration, number
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Trial

_STYLES = {
    Condition.CREATED: "dim",
    Condition.RUNNING: "cyan",
    Condition.SUCCEEDED: "",
    Condition.FAILED: "red",
    Condition.METRICS_UNAVAILABLE: "red",
    Condition.KILLED: "yellow",
    Condition.EARLY_STOPPED: "yellow",
}


def trials_table(run: Run, most: int | None = None) -> Table:
    """One row a trial, the baseline apart and first; the best is bold and marked.

    Args:
        most: of the suggested trials, show only this many of the newest.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("trial", no_wrap=True)
    for spec in run.experiment.parameters:
        table.add_column(spec.name, justify="right", no_wrap=True)
    for metric in run.experiment.objective.metrics:
        table.add_column(metric, justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("state", overflow="fold")
    if run.baseline is not None:
        table.add_row(
            *_cells(run, run.baseline, "baseline", ""), style=_STYLES[run.baseline.condition], end_section=True
        )
    best = run.optimal
    for trial in run.trials if most is None else run.trials[-most:]:
        is_best = best is not None and trial.name == best.name
        style = "bold green" if is_best else _STYLES[trial.condition]
        name = _short(run, trial.name)
        table.add_row(*_cells(run, trial, name, " ← best" if is_best else ""), style=style)
    return table


def trials_csv(run: Run) -> str:
    """A line a trial with every digit, the baseline first; `condition` and `reason` as Katib says them."""
    names, objective = [spec.name for spec in run.experiment.parameters], run.experiment.objective
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["trial", *names, *objective.metrics, "condition", "reason", "same_as", "seconds", "started", "ended", "best"]
    )
    for trial in run.everything:
        writer.writerow(
            [
                trial.name,
                *(trial.assignments.get(name, "") for name in names),
                *(trial.value(objective, metric) for metric in objective.metrics),
                str(trial.condition),
                trial.reason,
                trial.same_as,
                f"{trial.seconds:.1f}" if trial.condition.ended else "",
                trial.started,
                trial.ended,
                "yes" if run.optimal is not None and trial.name == run.optimal.name else "",
            ]
        )
    return text.getvalue()


def _short(run: Run, name: str) -> str:
    """A trial's name without the Experiment's."""
    return name.removeprefix(f"{run.experiment.name}-")


def _cells(run: Run, trial: Trial, name: str, mark: str) -> list[Text]:
    objective = run.experiment.objective
    values = [
        assignment(trial.assignments[spec.name]) if spec.name in trial.assignments else "–"
        for spec in run.experiment.parameters
    ]
    metrics = [number(trial.value(objective, metric)) for metric in objective.metrics]
    seconds = duration(trial.seconds) if trial.condition.ended else ""
    same = f", same config as {_short(run, trial.same_as)}" if trial.same_as and not trial.reason else ""
    state = f"{trial.condition}{mark}{same}" + (f": {trial.reason}" if trial.reason else "")
    return [Text(cell) for cell in (name, *values, *metrics, seconds, state)]
