"""The border of memory as people read it: lines, a plot a model, and a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from boxtune.experiment.experiment import Experiment
from boxtune.experiment.loading import load_experiment
from boxtune.report.best import ConfigDiff
from boxtune.report.details import Details
from boxtune.report.memory import memory_found, memory_lines
from boxtune.report.memory_plot import memory_border
from boxtune.report.page import page_content, rendered_page
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Condition, Role, Trial
from tests.conftest import QUICK_START

MODEL = "ssd_mobilenet_v2_keras"


def trial(number: int, batch: int, condition: Condition, short: bool = False) -> Trial:
    given = {"learning_rate": "0.001", "batch_size": str(batch), "nms_iou_threshold": "0.5"}
    return Trial(f"quick-start-{number:04d}", Role.SUGGESTED, number, given, condition=condition, out_of_memory=short)


@pytest.fixture
def experiment() -> Experiment:
    return load_experiment(QUICK_START.with_suffix(".yaml"))


@pytest.fixture
def run(experiment: Experiment) -> Run:
    trials = (
        trial(1, 8, Condition.SUCCEEDED),
        trial(2, 64, Condition.FAILED, short=True),
        trial(3, 16, Condition.PAUSED),
        trial(4, 32, Condition.FAILED, short=True),
        trial(5, 4, Condition.FAILED),
    )
    return Run(experiment, trials, None, RunCondition.RUNNING, "runs", "2026-01-01T00:00:00Z", folder=Path("my run"))


def test_the_border_is_the_least_that_did_not_fit(run: Run) -> None:
    found = memory_found(run)
    (model,) = found.models
    assert model.short == ("0002", "0004")
    assert (str(model.most), str(model.border)) == (f"16 x 128 x 128 of {MODEL}", f"32 x 128 x 128 of {MODEL}")
    assert list(memory_lines(run, found)) == [
        f"out of memory: batch_size x image pixels from 32 x 128 x 128 of {MODEL} on: not tried again; boxtune run "
        "'my run' --forget-memory tries it, on a larger GPU"
    ]


def test_the_record_of_a_search_on_a_cluster_forgets_nothing(run: Run) -> None:
    (line,) = memory_lines(replace(run, recorded=True), memory_found(run))
    assert line.endswith("on: Katib's services know nothing of it, and may try it again")


def test_nothing_is_said_where_nothing_ran_out_or_all_is_forgotten(run: Run) -> None:
    forgotten = tuple(replace(each, forgotten=each.out_of_memory) for each in run.trials)
    for trials in ((), run.trials[:1], forgotten):
        changed = replace(run, trials=trials)
        assert list(memory_lines(changed, memory_found(changed))) == []


def test_where_more_has_fitted_only_the_values_themselves_are_left_out(run: Run) -> None:
    larger = replace(run, trials=(*run.trials, trial(6, 128, Condition.SUCCEEDED)))
    found = memory_found(larger)
    assert found.models[0].border is None
    (line,) = memory_lines(larger, found)
    assert line.startswith("out of memory: the values of 0002, 0004: not tried again")
    assert memory_border(found.models)


def test_the_page_has_the_plot_and_the_table(run: Run) -> None:
    page = rendered_page(page_content(run, None, ConfigDiff([])), Details(missing="not here"))
    assert page.count("What fits in memory") == 1
    assert "pixels of an image" in page
    assert f"16 x 128 x 128 of {MODEL}</td>" in page
    without = page_content(replace(run, trials=run.trials[:1]), None, ConfigDiff([]))
    assert "What fits in memory" not in rendered_page(without, Details(missing="not here"))


def test_images_whose_size_the_data_decide_have_a_table_alone(run: Run, experiment: Experiment) -> None:
    own = "fixed_shape_resizer { height: 128 width: 128 }"
    maps = {
        name: {key: text.replace(own, "pad_to_multiple_resizer { multiple: 32 }") for key, text in data.items()}
        for name, data in experiment.config_maps.items()
    }
    padded = replace(run, experiment=replace(experiment, config_maps=maps))
    found = memory_found(padded)
    (line,) = memory_lines(padded, found)
    assert line.startswith(f"out of memory: batch_size from 32 x images by pad_to_multiple_resizer of {MODEL} on: ")
    assert memory_border(found.models) == ""
