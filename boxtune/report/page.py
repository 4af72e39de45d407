"""A run as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from boxtune.pages.figures import plotly_library
from boxtune.pages.rendering import render_page
from boxtune.report import plots
from boxtune.report.answer import answer
from boxtune.report.answer import details as details_of
from boxtune.report.best import BestTrial, ConfigDiff
from boxtune.report.details import Details
from boxtune.report.importance import LEAST_TRIALS, importance
from boxtune.report.memory import memory_found, memory_lines
from boxtune.report.memory_plot import memory_border
from boxtune.report.rungs import rung_rows, rungs_of
from boxtune.report.rungs_plot import rungs_plot
from boxtune.report.shares import importance_lines
from boxtune.report.text import against_baseline, assignment, duration, number
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Trial
from trial_entry.contract.records import BoxRecord

TEMPLATES = Path(__file__).parent / "templates"
_FEW_BOXES = 5
_LEAST_LINES = 2  # of trials, for plots to say anything


def rendered_page(content: Mapping[str, object], details: Details) -> str:
    """The page of what `page_content` has made, with the best trial's evaluation."""
    curves = plots.precision_recall(details.classes) if details.classes else ""
    has_plots = any(content[name] for name in ("history", "rungs", "memory_border"))
    plotly = plotly_library() if has_plots or curves else ""
    filters: dict[str, Callable[..., str]] = {
        "number": number,
        "assignment": assignment,
        "duration": duration,
        "caption": caption,
    }
    return render_page(
        TEMPLATES, "report.html", filters, {**content, "details": details, "curves": curves, "plotly": plotly}
    )


def page_content(run: Run, best: BestTrial | None, diff: ConfigDiff) -> dict[str, object]:
    """What the page shows of the run; the best trial's evaluation comes besides.

    Args:
        best: the best trial's files; None where they are not on this machine.
        diff: from the base config to the best trial's.
    """
    objective, measured = run.experiment.objective, plots.measured_trials(run)
    enough = len(measured) >= _LEAST_LINES
    plotted = enough and bool(run.experiment.parameters)  # an edited Experiment may have none
    seconds = sum(trial.seconds for trial in run.everything)
    rungs = rungs_of(run)
    return {
        "run": run,
        "objective": objective,
        "optimal": run.chosen,
        "answer": answer(run),
        "answer_details": list(details_of(run)),
        "best_value": run.chosen.value(objective) if run.chosen is not None else None,
        "base_value": run.baseline.value(objective) if run.baseline is not None else None,
        "told": [each.sentence for each in run.warm_start],
        "comparison": against_baseline(run) if run.chosen is run.optimal else "",  # else the answer says it
        "ended": sum(trial.condition.ended for trial in run.trials),
        "failed": sum(trial.condition.failed for trial in run.trials),
        "seconds": seconds,
        "values": list(_values(run)),
        "rows": [_row(run, trial) for trial in run.everything],
        "repeats": [_row(run, trial) for trial in run.repeats],
        "history": plots.history(run) if measured else "",
        "rungs": rungs_plot(run, rungs) if rungs is not None else "",
        "rung_rows": list(rung_rows(run, rungs)) if rungs is not None else [],
        "rungs_axis": rungs.axis if rungs is not None else "",
        "parallel": plots.parallel_coordinates(run) if plotted else "",
        "slices": plots.slices(run) if plotted else "",
        **_importance(run),
        **_memory(run),
        "best": best,
        "diff": diff,
        "commands": _commands(run) if best is None and run.folder is None and (diff.lines or diff.missing) else [],
    }


def _importance(run: Run) -> dict[str, object]:
    """What its parameters explain."""
    shares = importance(run)
    return {
        "shares": shares,
        "importance": plots.importance(shares) if shares is not None else "",
        "importance_lines": list(importance_lines(shares)) if shares is not None else [],
        "least_trials": LEAST_TRIALS,
    }


def _memory(run: Run) -> dict[str, object]:
    """What of it fitted in memory."""
    found = memory_found(run)
    return {
        "memory": found,
        "memory_border": memory_border(found.models),
        "memory_lines": list(memory_lines(run, found)),
    }


def _commands(run: Run) -> list[str]:
    """What brings the best trial of a search on a cluster to this machine."""
    where = f"{run.experiment.name} --namespace {run.experiment.namespace or 'default'}"
    return [f"boxtune best {where} --volume data=DIR --out pipeline.config", f"boxtune train {where} --volume data=DIR"]


def _values(run: Run) -> Iterator[tuple[str, str, str]]:
    """(parameter, base config's value, best trial's value)."""
    before = run.baseline.assignments if run.baseline is not None else {}
    after = run.chosen.assignments if run.chosen is not None else {}
    for spec in run.experiment.parameters:
        yield spec.name, assignment(before.get(spec.name, "–")), assignment(after.get(spec.name, "–"))


def caption(boxes: Sequence[BoxRecord]) -> str:
    """What lies in a picture, in a line: each box while they are few, else how many of each class."""
    if not boxes:
        return "nothing"
    if len(boxes) <= _FEW_BOXES:
        return ", ".join(box.label if box.score is None else f"{box.label} {box.score:.2f}" for box in boxes)
    return ", ".join(f"{count} × {name}" for name, count in Counter(box.label for box in boxes).most_common())


def _row(run: Run, trial: Trial) -> dict[str, object]:
    objective = run.experiment.objective
    return {
        "name": "base config" if trial.is_baseline else trial.name.removeprefix(f"{run.experiment.name}-"),
        "best": run.optimal is not None and trial.name == run.optimal.name,
        "assignments": [trial.assignments.get(spec.name) for spec in run.experiment.parameters],
        "metrics": [trial.value(objective, metric) for metric in objective.metrics],
        "seconds": None if trial.condition.open else trial.seconds,
        "condition": str(trial.condition) + (f" at step {trial.steps}" if trial.condition is Condition.PAUSED else ""),
        "failed": trial.condition.failed,
        "reason": trial.reason,
    }
