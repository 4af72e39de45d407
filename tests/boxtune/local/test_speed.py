"""boxtune speed: every way is really trained, and what is said of it follows from what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.conftest import QUICK_START
from tests.experiments import boxtune, shell_experiment, write


@pytest.mark.e2e
def test_every_way_is_measured(digits: Path) -> None:
    file = QUICK_START.with_suffix(".yaml")
    ended = boxtune("speed", file, "--volume", f"data={digits}", "--steps", "10", "--json", TF_ENABLE_ONEDNN_OPTS="0")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert [(each["bfloat16"], each["at_a_time"]) for each in found] == [(False, 1), (True, 1), (False, 2), (False, 4)]
    for each in found:
        assert each["problem"] == ""
        assert each["steps_per_second"] > 0
        assert each["memory"] > 300
    assert "measuring: 4 at a time" in ended.err


def test_a_trial_that_fails_is_named(digits: Path, tmp_path: Path) -> None:
    config_map, experiment = yaml.safe_load_all(QUICK_START.with_suffix(".yaml").read_text())
    config_map["data"]["pipeline.config"] = config_map["data"]["pipeline.config"].replace(
        "num_layers: 6", "num_layers: 5"
    )
    file = write(tmp_path / "experiment.yaml", config_map, experiment)
    ended = boxtune("speed", file, "--volume", f"data={digits}", "--steps", "10")
    assert ended.code == 2
    assert "its trials fail" in ended.reason


def test_why_no_trial_could_be_started_is_said(digits: Path, tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text("raise ImportError('a library is missing')")
    file = QUICK_START.with_suffix(".yaml")
    ended = boxtune("speed", file, "--volume", f"data={digits}", "--steps", "10", PYTHONPATH=str(tmp_path))
    assert ended.code == 2
    assert "ImportError: a library is missing" in ended.reason


def test_other_trials_cannot_be_measured(tmp_path: Path) -> None:
    ended = boxtune("speed", write(tmp_path / "experiment.yaml", shell_experiment()))
    assert ended.code == 2
    assert "only trials of python -m trial_entry" in ended.reason
