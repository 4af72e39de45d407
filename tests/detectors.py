"""Detectors that have learned something, trained once for all tests that ask whether a model still knows it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from boxtune.demo.digits import DigitsSpec, make_digits
from tests.conftest import write_config
from tests.trials import run, train_arguments

# Enough steps for an mAP that an export can lose.
SSD = ("--set=num_steps=375",)
CENTER_NET = ("--set=model=hourglass_10", "--set=image_size=128", "--set=num_steps=250")


@pytest.fixture(scope="session")
def ssd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The MODEL_DIR of an SSD MobileNetV2 of 128 pixels, trained on 300 images."""
    return _trained(tmp_path_factory, "ssd", *SSD)


@pytest.fixture(scope="session")
def center_net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a CenterNet, likewise."""
    return _trained(tmp_path_factory, "center_net", *CENTER_NET)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first process of the session that asks fills; the others wait and take it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            make(folder)
            (folder / "made").touch()
    return folder


def _trained(factory: pytest.TempPathFactory, name: str, *assignments: str) -> Path:
    def train(folder: Path) -> None:
        make_digits(folder, DigitsSpec(train_images=300, validation_images=30, test_images=4))
        config = write_config(folder, **{"batch_size: 4": "batch_size: 16"})
        ended = run(*train_arguments(config, folder / "model", "--seed=1", *assignments))
        assert ended.code == 0, ended.err

    return made_once(factory, f"detector-{name}", train) / "model"
