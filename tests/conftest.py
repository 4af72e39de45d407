"""What many tests need: a small data set and a config that trains on it in seconds."""

from __future__ import annotations

import re
import resource
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

from boxtune.demo.digits import LABEL_MAP, TEST_RECORD, TRAIN_RECORD, VALIDATION_RECORD, DigitsSpec, make_digits
from tests.made_once import made_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

    from tests.forks import Run
    from tests.trials import Ended

REPOSITORY = Path(__file__).parents[1]
EXPERIMENTS = REPOSITORY / "manifests" / "experiments"
QUICK_START = EXPERIMENTS / "quick-start"
CONFIGS = Path(__file__).parent / "configs"
_ENOUGH = 16 * 2**30  # bytes of address space, for a small training


class _ByFile(LoadFileScheduling):
    """A file's tests in one process; those of tests/e2e, which share a cluster, are as one file."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "tests/e2e" if file.startswith("tests/e2e/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Marks of pytest-xdist's own `loadgroup` do not reach it with pytest 9.2, which names tests otherwise."""
    return _ByFile(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 40 training, 12 validation and 12 test images of 128 pixels, and their label map."""
    few = DigitsSpec(train_images=40, validation_images=12, test_images=12)
    return made_once(tmp_path_factory, "digits", lambda folder: make_digits(folder, few))


@pytest.fixture
def data(digits: Path, tmp_path: Path) -> Path:
    """A copy of `digits` with the quick-start's config beside it, for tests that change them."""
    folder = tmp_path / "data"
    shutil.copytree(digits, folder)
    write_config(folder)
    return folder


@pytest.fixture
def little_memory() -> Iterator[None]:
    """What is too large for processes is refused at once, also where the kernel promises more memory than there is."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_ENOUGH, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture(scope="session")
def forked() -> Iterator[Run]:
    """`tests.trials.run` without the start: for tests whose point is what a trial does once it runs."""
    from tests.forks import forking

    with forking() as run:
        yield run


@pytest.fixture(scope="session")
def ssd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The MODEL_DIR of an SSD MobileNetV2 that has learned something; its data lie beside it."""
    from tests.detectors import SSD, trained  # which needs write_config

    return trained(tmp_path_factory, "ssd", *SSD)


@pytest.fixture(scope="session")
def center_net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a CenterNet, likewise."""
    from tests.detectors import CENTER_NET, trained

    return trained(tmp_path_factory, "center_net", *CENTER_NET)


@pytest.fixture(scope="session")
def exported(ssd: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """Every format of the SSD, and how its export ended."""
    from tests.detectors import exported

    return exported(tmp_path_factory, ssd)


def write_config(folder: Path, name: str = "pipeline.config", **changes: str) -> Path:
    """The quick-start's config with a batch of 4 and 6 steps, in `folder`; `changes` are FIELD=TEXT replacements."""
    text = (QUICK_START / "pipeline.config").read_text()
    text = re.sub(r'"[^"]*train\.record"', f'"{TRAIN_RECORD}"', text)
    text = re.sub(r'"[^"]*validation\.record"', f'"{VALIDATION_RECORD}"', text)
    text = re.sub(r'"[^"]*test\.record"', f'"{TEST_RECORD}"', text)
    text = re.sub(r'"[^"]*label_map\.pbtxt"', f'"{LABEL_MAP}"', text)
    changes = {
        "batch_size: 16": "batch_size: 4",
        "_steps: 375": "_steps: 6",
        "warmup_steps: 37": "warmup_steps: 2",
    } | changes
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in the quick-start's config"
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path
