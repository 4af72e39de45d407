"""What delivery's tests share: a search of two short trials, and a model of a few steps."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.boxtune.test_quick_start import command, quick_start
from tests.bucket_fixtures import bucket, server
from tests.conftest import write_config
from tests.experiments import boxtune, container, write
from tests.made_once import made_once

__all__ = ["bucket", "server"]


@pytest.fixture(scope="session")
def search(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the quick-start's Experiment whose trials were cut short after three of their six steps."""

    def make(folder: Path) -> None:
        file = quick_start(folder, maxTrialCount=2)
        config_map, experiment = yaml.safe_load_all(file.read_text())
        arguments = container(experiment)["args"]
        arguments[arguments.index("--set=epochs=10")] = "--set=num_steps=6"
        arguments.append("--num_train_steps=3")
        write(file, config_map, experiment)
        ended = boxtune(*command(file, digits, folder / "run", "--no-baseline"))
        assert ended.code == 0, ended.err + ended.out

    return made_once(tmp_path_factory, "search", make) / "run"


@pytest.fixture(scope="session")
def trained(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data` and, made of the config there, `model`: one deterministic training of a few steps."""

    def make(folder: Path) -> None:
        shutil.copytree(digits, folder / "data")
        config = write_config(folder / "data")
        ended = boxtune("train", config, "--out", folder / "model", "--seed", "3", "--deterministic")
        assert ended.code == 0, ended.err

    return made_once(tmp_path_factory, "delivered", make)


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """A copy of the trained model, for tests that change it; its data stay where they are."""
    return Path(shutil.copytree(trained / "model", tmp_path / "model"))
