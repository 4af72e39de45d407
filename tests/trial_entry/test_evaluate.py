"""`evaluate` on a reader of its own: the test split, its detections by name, and nothing of the training's data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import write_config
from tests.forks import Run
from tests.trials import train_arguments
from trial_entry.measuring.all_metrics import all_metrics
from trial_entry.measuring.detections_file import NamedDetections


@pytest.fixture(scope="module")
def trained(digits: Path, forked: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, and a MODEL_DIR of a few steps in it, `model`."""
    folder = tmp_path_factory.mktemp("trained") / "data"
    shutil.copytree(digits, folder)
    config = write_config(folder)
    ended = forked(*train_arguments(config, folder / "model", "--seed=1"))
    assert ended.code == 0, ended.err
    return folder


def test_the_reader_called_test_is_evaluated_without_training_data(trained: Path, tmp_path: Path, forked: Run) -> None:
    here = tmp_path / "data"
    shutil.copytree(trained, here)
    config = here / "model" / "pipeline.config"
    config.write_text(config.read_text().replace(str(trained), str(here)))
    for name in ("train.record", "validation.record"):
        (here / name).unlink()
    found = here / "detections.json"
    arguments = train_arguments(config, here / "model", f"--detections={found}", f"--details={here / 'details'}")
    ended = forked("evaluate", *arguments, "--reader=test", f"--output={here / 'test.json'}", "--pictures=2")
    assert ended.code == 0, ended.err
    metrics = {name: value for _, name, value in ended.metrics}
    assert json.loads((here / "test.json").read_text())["metrics"] == metrics
    assert not (here / "model" / "evaluation.json").exists()

    held = NamedDetections.read(found)
    assert sorted(held.names.values()) == [f"test-{number:05d}.jpg" for number in range(12)]
    again = all_metrics(held.detections, held.class_names, 0.5)
    for name, value in again.items():
        assert value == pytest.approx(metrics[name], abs=1e-12), name
    pictures = json.loads((here / "details" / "details.json").read_text())["images"]
    assert all(each["name"] == held.names[each["id"]] for each in pictures)


def test_readers_that_are_not_there(trained: Path, forked: Run) -> None:
    config, model = trained / "model" / "pipeline.config", trained / "model"
    ended = forked("evaluate", *train_arguments(config, model, "--reader=night"))
    assert ended.code == 2
    assert 'eval_input_reader: 0 are called "night"' in ended.reason
    missing = trained / "missing.config"
    missing.write_text(config.read_text().replace("test.record", "tset.record"))
    ended = forked("evaluate", *train_arguments(missing, model, "--reader=test"))
    assert ended.code == 2
    assert "tset.record: no such file" in ended.reason
