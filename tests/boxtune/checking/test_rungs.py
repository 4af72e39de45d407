"""`boxtune check` on rungs: what `boxtune run` would refuse of them, with the base config in hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.checking.check import CheckOptions, check
from boxtune.problems import Problem
from tests.conftest import QUICK_START
from tests.experiments import boxtune_here, container, write


def searched(folder: Path, length: str, rungs: str = "", most: int | None = None, **spec: Any) -> Path:
    """The quick-start's Experiment by asha, its trainings as long as `length` says."""
    config_map, experiment = yaml.safe_load_all(QUICK_START.with_suffix(".yaml").read_text())
    settings = [{"name": "rungs", "value": rungs}] if rungs else []
    experiment["spec"]["algorithm"] = {"algorithmName": "asha", "algorithmSettings": settings}
    experiment["spec"].update(spec)
    if most is not None:
        experiment["metadata"]["annotations"] = {"boxtune/max-steps": str(most)}
    arguments = container(experiment)["args"]
    arguments[arguments.index("--set=epochs=10")] = length
    return write(folder / "experiment.yaml", config_map, experiment)


def of_rungs(problems: list[Problem]) -> list[Problem]:
    """What was found besides the Experiment's own faults."""
    return [each for each in problems if "rungs" in each.what or "steps are no whole training" in each.what]


@pytest.mark.parametrize(
    ("length", "rungs", "most", "says"),
    [
        ("--set=num_steps=3", "", None, "two of the rungs 1/9,1/3,1 fall on the same step of a training of 3 steps"),
        ("--set=num_steps=30", "0.01,0.02,1", None, "fall on the same step of a training of 30 steps"),
        ("--set=num_steps=375", "", 374, "374 steps are no whole training, which takes 375"),
        ("--num_train_steps=3", "", None, "two of the rungs"),
    ],
)
def test_the_data_need_not_be_here(
    digits: Path, tmp_path: Path, length: str, rungs: str, most: int | None, says: str
) -> None:
    path = searched(tmp_path, length, rungs, most)
    (wrong,) = of_rungs(check(path, CheckOptions()))
    assert wrong.severity == "error"
    assert says in wrong.what
    assert wrong.right
    assert wrong.line > 1
    refused = boxtune_here("run", path, "--no-check", "--volume", f"data={digits}", "--out", tmp_path / "run")
    assert refused.code == 2
    assert wrong.what in refused.err, "boxtune run says the same"


def test_epochs_are_counted_where_the_data_are(digits: Path, tmp_path: Path) -> None:
    path = searched(tmp_path, "--set=epochs=1", "0.001,0.002,1")
    (left_alone,) = of_rungs(check(path, CheckOptions()))
    assert (left_alone.severity, "were not looked at" in left_alone.what) == ("note", True)
    (wrong,) = of_rungs(check(path, CheckOptions(volumes={"data": digits})))
    assert (wrong.severity, "fall on the same step" in wrong.what) == ("error", True)
    assert of_rungs(check(searched(tmp_path, "--set=epochs=10"), CheckOptions(volumes={"data": digits}))) == []


def test_what_fits_is_left_alone(tmp_path: Path) -> None:
    assert of_rungs(check(searched(tmp_path, "--set=num_steps=375", "", 3000), CheckOptions())) == []


def test_a_setting_that_is_wrong_is_said_once(tmp_path: Path) -> None:
    wrong = [
        each
        for each in check(searched(tmp_path, "--set=num_steps=3", "2,1"), CheckOptions())
        if each.severity == "error"
    ]
    assert len(wrong) == 1
    assert "shares of the whole training" in str(wrong[0])


def test_other_algorithms_have_no_rungs(tmp_path: Path) -> None:
    path = searched(tmp_path, "--set=num_steps=3", algorithm={"algorithmName": "random"})
    assert of_rungs(check(path, CheckOptions())) == []
