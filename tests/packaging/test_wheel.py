"""The wheel as a new user gets it: plain pip, an empty environment, no repository around it; each supported Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.conftest import EXPERIMENTS, REPOSITORY
from tests.experiments import write

PYTHONS = ("3.11", "3.12")
DIST = REPOSITORY / "dist"
pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and a folder to work in."""

    python: Path
    folder: Path

    def run(self, *command: str | Path, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """A command of the environment, without a trace of this repository."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        return subprocess.run(
            [self.python.with_name(str(command[0])), *map(str, command[1:])],
            cwd=self.folder,
            env=kept,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def prints(self, *command: str | Path) -> str:
        """What a command prints that must succeed."""
        done = self.run(*command)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout


def built(pattern: str) -> Path:
    """The one file of this pattern that scripts/wheel has built."""
    files = list(DIST.glob(pattern))
    assert len(files) == 1, f"{files}; scripts/wheel builds one"
    return files[0]


def interpreter(version: str) -> str | None:
    """A Python of this version on this machine."""
    candidates = [shutil.which(f"python{version}"), sys.executable]
    for candidate in filter(None, candidates):
        asked = subprocess.run([candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"],
                               capture_output=True, text=True, check=False)  # fmt: skip
        if asked.returncode == 0 and asked.stdout.strip() == version:
            return candidate
    return None


@pytest.fixture(scope="module", params=PYTHONS)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel, installed by plain pip."""
    found = interpreter(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} here")
    folder = tmp_path_factory.mktemp(f"python{request.param}")
    subprocess.run([found, "-m", "venv", folder / "venv"], check=True)
    there = Installed(folder / "venv" / "bin" / "python", folder)
    there.prints("pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", built("*.whl"))
    yield there
    shutil.rmtree(folder)


def test_what_is_built_holds_what_it_should() -> None:
    with zipfile.ZipFile(built("*.whl")) as wheel:
        names = wheel.namelist()
        metadata = wheel.read(next(name for name in names if name.endswith("METADATA"))).decode()
    sources = {
        str(path.relative_to(REPOSITORY))
        for package in ("boxtune", "pipelines", "trial_entry")
        for path in (REPOSITORY / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {
        "boxtune/py.typed",
        "pipelines/py.typed",
        "trial_entry/py.typed",
        "boxtune/report/templates/report.html",
    } <= sources
    assert sources <= set(names), "what a package reads at run time, templates too, is in the wheel"
    assert not [name for name in names if name.startswith(("tests", "docs", "manifests"))]
    description = metadata.partition("\n\n")[2]
    assert description.startswith("# Boxtune")
    assert "](docs/" not in description, "a link that leads nowhere on the package index"
    with tarfile.open(built("*.tar.gz")) as source:
        names = [name.partition("/")[2] for name in source.getnames()]
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "tests/conftest.py",
        "manifests/experiments/quick-start.yaml",
    } <= set(names)


def test_a_new_user_s_first_commands(installed: Installed) -> None:
    config_map, experiment = yaml.safe_load_all((EXPERIMENTS / "quick-start.yaml").read_text())
    experiment["spec"] |= {"maxTrialCount": 2, "maxFailedTrialCount": 1, "parallelTrialCount": 1}
    file = installed.folder / "experiment.yaml"
    write(file, config_map, experiment)
    (installed.folder / "pipeline.config").write_text(config_map["data"]["pipeline.config"])

    version = installed.prints("boxtune", "--version").strip()
    assert version == installed.prints("python", "-m", "trial_entry", "--version").strip()
    assert version.startswith("boxtune ")
    assert "(tensorflow 2." in version
    installed.prints("boxtune", "demo", "data", "--train-images", "40", "--validation-images", "12")
    assert "no errors" in installed.prints("boxtune", "check", file, "--volume", "data=data")
    assert "learning_rate" in installed.prints("boxtune", "parameters", "pipeline.config")
    run = ("run", file, "--volume", "data=data", "--out", "run", "--num-steps", "2")
    assert "Experiment has succeeded" in installed.prints("boxtune", *run)
    shown = json.loads(installed.prints("boxtune", "show", "run", "--json"))
    assert shown["status"]["trialsSucceeded"] == 2
    assert 0 <= float(shown["status"]["currentOptimalTrial"]["observation"]["metrics"][0]["latest"]) <= 1


def test_the_first_losses_are_those_of_the_locked_tensorflow(installed: Installed, data: Path) -> None:
    """One deterministic step from one seed; after a few, rounding errors of batch normalization have grown."""
    train = (
        "-m",
        "trial_entry",
        f"--pipeline_config_path={data / 'pipeline.config'}",
        "--num_train_steps=1",
        "--seed=1",
        "--deterministic",
    )
    installed.prints("python", *train, "--model_dir=theirs")
    subprocess.run(
        [sys.executable, *train, f"--model_dir={installed.folder / 'ours'}"], check=True, capture_output=True
    )
    theirs, ours = (first_losses(installed.folder / name) for name in ("theirs", "ours"))
    assert ours.keys() == theirs.keys()
    assert len(ours) >= 3
    assert theirs == pytest.approx(ours, rel=1e-6)
    versions = [
        json.loads((installed.folder / name / "trial.json").read_text())["versions"] for name in ("theirs", "ours")
    ]
    print([each["tensorflow"] for each in versions])


def first_losses(model_dir: Path) -> dict[str, float]:
    """The losses of the first step, by name, from the trial's events."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(model_dir / "train"))
    events.Reload()
    names = [tag for tag in events.Tags()["tensors"] if tag.startswith("Loss/")]
    return {name: float(make_ndarray(events.Tensors(name)[0].tensor_proto)) for name in names}
