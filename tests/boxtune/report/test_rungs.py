"""The report's rungs: lines and table of searches by promotion, by Hyperband, and of those that have no rungs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from boxtune.report.best import ConfigDiff
from boxtune.report.details import Details
from boxtune.report.page import page_content, rendered_page
from boxtune.report.rungs import Row, best_climb, rung_rows, rungs_of
from boxtune.report.rungs_plot import rungs_plot
from boxtune.runs.run import Run
from boxtune.runs.trial import Attempt, Condition, Metric, Trial
from tests.boxtune.report.runs import METRICS, run_of, trial
from tests.pages import Page

STARTED, ENDED = "2026-11-25T10:00:00Z", "2026-11-25T10:01:30Z"


def climbed(
    name: str, condition: Condition, *ends: tuple[int | None, float | None], folder: Path | None = None
) -> Trial:
    """A trial whose attempts ended so: at these steps, with this objective; None for one that did not end."""
    attempts = tuple(
        Attempt(STARTED, ENDED, steps, 5.0, 0, {METRICS[0]: Metric(METRICS[0], str(value), str(value), str(value))})
        if value is not None
        else Attempt(STARTED, steps=steps)
        for steps, value in ends
    )
    last = attempts[-1]
    return replace(
        trial(name, condition), attempts=attempts, observation=last.observation, steps=last.steps, folder=folder
    )


def whole(folder: Path, step: int) -> Path:
    """A trial's folder, measured last at this step."""
    folder.mkdir()
    for name in ("trial.json", "pipeline.config"):
        (folder / name).write_text("{}")
    rows = [{"step": each, "timestamp": STARTED, "metrics": {METRICS[0]: 0.1}} for each in (step // 3, step)]
    (folder / "metrics.json").write_text(json.dumps(rows))
    return folder


def drawn(plot: str) -> list[dict[str, Any]]:
    """A plot's traces."""
    found = re.search(r"Plotly\.newPlot\(\s*\"[^\"]+\",\s*(\[.*?\]),\s*\{\"template\"", plot, re.DOTALL)
    assert found is not None
    traces: list[dict[str, Any]] = json.loads(found[1])
    return traces


def test_promotions_are_drawn_on_and_counted(tmp_path: Path) -> None:
    run = run_of(
        climbed("0001", Condition.PAUSED, (10, 0.01)),
        climbed("0002", Condition.SUCCEEDED, (10, 0.02), (30, 0.2), (None, 0.5), folder=whole(tmp_path / "2", 90)),
        climbed("0003", Condition.PAUSED, (20, 0.03), (60, 0.1)),
        climbed("0004", Condition.SUCCEEDED, (10, 0.04), (30, 0.3), (None, 0.4), folder=whole(tmp_path / "4", 90)),
        climbed("0005", Condition.RUNNING, (10, 0.05), (30, None)),  # promoted, and at it
        climbed("0006", Condition.PAUSED, (10, None), (10, 0.02)),  # cut off, and gone on with
        climbed("0007", Condition.RUNNING, (10, None)),
        trial("0008", Condition.FAILED, "why"),
    )
    rungs = rungs_of(run)
    assert rungs is not None
    assert list(rung_rows(run, rungs)) == [
        Row("rung 1", "10 to 20", 6, 4, 0.05, "shell-0005"),
        Row("rung 2", "30 to 60", 3, 2, 0.3, "shell-0004"),
        Row("whole training", "90", 2, 0, 0.5, "shell-0002"),
    ]
    best = best_climb(run, rungs)
    assert best is not None
    assert [(point.place, point.value) for point in best.points] == [(10, 0.02), (30, 0.2), (90, 0.5)]
    lines = {trace["name"]: trace for trace in drawn(rungs_plot(run, rungs))}
    assert lines["best trial"]["x"] == [10, 30, 90, None]
    assert lines["trained whole"]["y"] == [0.04, 0.3, 0.4, None]
    assert lines["left at a rung"]["x"] == [10, None, 20, 60, None, 10, None, 10, None]
    assert lines["best trial"]["line"]["width"] > 2 * lines["trained whole"]["line"]["width"]


def test_a_whole_training_whose_step_is_gone_keeps_its_row() -> None:
    run = run_of(climbed("0001", Condition.SUCCEEDED, (10, 0.1), (None, 0.4)))
    rungs = rungs_of(run)
    assert rungs is not None
    assert list(rung_rows(run, rungs))[-1] == Row("whole training", "–", 1, 0, 0.4, "shell-0001")
    (line,) = drawn(rungs_plot(run, rungs))
    assert line["x"] == [10, None]


def hyperband(*trials: Trial) -> Run:
    run = run_of(*trials)
    settings = {"resource_name": "batch_size", "r_l": "9", "eta": "3"}
    return replace(run, experiment=replace(run.experiment, algorithm="hyperband", settings=settings))


def test_hyperbands_trials_of_one_config_are_one_line() -> None:
    def at(name: str, rate: str, resource: str, value: str) -> Trial:
        made = trial(name, Condition.SUCCEEDED if value else Condition.FAILED, value=value)
        return replace(made, assignments={**made.assignments, "learning_rate": rate, "batch_size": resource})

    run = hyperband(
        at("0001", "0.1", "1", "0.10"),
        at("0002", "0.2", "1", "0.20"),
        at("0003", "0.3", "1", ""),
        at("0004", "0.2", "3", "0.30"),
        at("0005", "0.2", "9", "0.60"),
        at("0006", "0.5", "3", "0.05"),
        at("0007", "0.6", "many", "0.05"),
    )
    rungs = rungs_of(run)
    assert rungs is not None
    assert rungs.axis == "batch_size"
    assert list(rung_rows(run, rungs)) == [
        Row("rung 1", "1", 2, 1, 0.2, "shell-0002"),
        Row("rung 2", "3", 2, 1, 0.3, "shell-0004"),
        Row("whole training", "9", 1, 0, 0.6, "shell-0005"),
    ]
    lines = {trace["name"]: trace["x"] for trace in drawn(rungs_plot(run, rungs))}
    assert lines == {"left at a rung": [1, None, 3, None], "best trial": [1, 3, 9, None]}


def test_a_search_without_rungs_has_none() -> None:
    assert rungs_of(run_of(trial("0001", Condition.SUCCEEDED, value="0.3"))) is None
    assert rungs_of(run_of(climbed("0001", Condition.RUNNING, (10, None)))) is None
    assert rungs_of(hyperband(trial("0001", Condition.FAILED, "why"))) is None


def test_a_page_of_paused_trials_alone_has_the_plot_and_its_table() -> None:
    run = run_of(climbed("0001", Condition.PAUSED, (10, 0.25)), climbed("0002", Condition.PAUSED, (10, 0.5)))
    text = rendered_page(page_content(run, None, ConfigDiff()), Details(missing="it was not asked for"))
    page = Page(text)
    assert "Rungs" in page.headings
    table = next(each for each in page.tables if each[0][0] == "rung")
    assert table[1] == ["rung 1", "10", "2", "0", "0.5", "shell-0002"]
    assert text.count("Plotly.newPlot(") == 1
    assert len(text) > 2**20  # plotly's own program is in it
