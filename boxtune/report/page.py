"""A run as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from boxtune.pages.figures import plotly_library
from boxtune.pages.rendering import render_page
from boxtune.report import plots
from boxtune.report.best import BestTrial, config_diff
from boxtune.report.details import Details
from boxtune.report.importance import LEAST_TRIALS, parameter_importance
from boxtune.report.text import against_baseline, assignment, duration, number
from boxtune.runs.run import Run
from boxtune.runs.trial import Trial
from trial_entry.contract.records import BoxRecord

TEMPLATES = Path(__file__).parent / "templates"
_FEW_BOXES = 5
_LEAST_LINES = 2  # of trials, for plots to say anything


def rendered_page(content: Mapping[str, object], details: Details) -> str:
    """The page of what `page_content` has made, with the best trial's evaluation."""
    curves = plots.precision_recall(details.classes) if details.classes else ""
    plotly = plotly_library() if content["history"] or curves else ""
    filters: dict[str, Callable[..., str]] = {
        "number": number,
        "assignment": assignment,
        "duration": duration,
        "caption": caption,
    }
    return render_page(
        TEMPLATES, "report.html", filters, {**content, "details": details, "curves": curves, "plotly": plotly}
    )


def page_content(run: Run, best: BestTrial | None) -> dict[str, object]:
    """What the page shows of the run; the best trial's evaluation comes besides."""
    objective, measured = run.experiment.objective, plots.measured_trials(run)
    enough = len(measured) >= _LEAST_LINES
    shares = parameter_importance(run)
    seconds = sum(trial.seconds for trial in run.everything)
    return {
        "run": run,
        "objective": objective,
        "optimal": run.optimal,
        "best_value": run.optimal.value(objective) if run.optimal is not None else None,
        "base_value": run.baseline.value(objective) if run.baseline is not None else None,
        "comparison": against_baseline(run),
        "ended": sum(trial.condition.ended for trial in run.trials),
        "failed": sum(trial.condition.failed for trial in run.trials),
        "seconds": seconds,
        "values": list(_values(run)),
        "rows": [_row(run, trial) for trial in run.everything],
        "history": plots.history(run) if measured else "",
        "parallel": plots.parallel_coordinates(run) if enough else "",
        "slices": plots.slices(run) if enough else "",
        "importance": plots.importance(shares) if shares else "",
        "least_trials": LEAST_TRIALS,
        "best": best,
        "diff": config_diff(best) if best is not None else [],
    }


def _values(run: Run) -> Iterator[tuple[str, str, str]]:
    """(parameter, base config's value, best trial's value)."""
    before = run.baseline.assignments if run.baseline is not None else {}
    after = run.optimal.assignments if run.optimal is not None else {}
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
        "seconds": trial.seconds if trial.condition.ended else None,
        "condition": str(trial.condition),
        "failed": trial.condition.failed,
        "reason": trial.reason,
    }
