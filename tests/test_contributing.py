"""CONTRIBUTING's worked examples, added to a copy of the packages and used."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import QUICK_START
from tests.experiments import shell_experiment, write

ROOT = Path(__file__).parent.parent
FILE = re.compile(r"^```\w+\n# (\S+/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^```diff\n--- (\S+)\n (.*)\n\+(.*)\n```$", re.MULTILINE)
EXAMPLES = {"boxtune/search/algorithms", "trial_entry/measuring", "boxtune/cli", "fragments/feature_extractors"}
BOXTUNE = ("-c", "from boxtune.cli.main import main; main()")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages with every example added."""
    folder, text = tmp_path_factory.mktemp("copy"), (ROOT / "CONTRIBUTING.md").read_text()
    for package in ("boxtune", "trial_entry"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    files, lines = FILE.findall(text), LINE.findall(text)
    assert all(any(room in name for name, _ in files) for room in EXAMPLES)
    assert len(lines) == 3  # a fragment needs none
    for name, content in files:
        assert not (folder / name).exists()
        (folder / name).write_text(content)
    for name, above, added in lines:
        before = (folder / name).read_text()
        assert before.count(f"\n{above}\n") == 1
        (folder / name).write_text(before.replace(f"\n{above}\n", f"\n{above}\n{added}\n"))
    return folder


def python(copy: Path, *arguments: str | Path) -> str:
    """Standard output of a Python that has the copy before the packages."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=copy, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_algorithm_searches(copy: Path, tmp_path: Path) -> None:
    experiment = shell_experiment(algorithm={"algorithmName": "corners"}, maxTrialCount=2, maxFailedTrialCount=1)
    file = write(tmp_path / "experiment.yaml", experiment)
    assert "corners is Boxtune's own" in python(copy, *BOXTUNE, "check", file)
    python(copy, *BOXTUNE, "run", file, "--out", tmp_path / "run")
    shown = python(copy, *BOXTUNE, "show", tmp_path / "run", "--json")
    assert sorted(re.findall(r'"latest": "([0-9.]+)"', shown)) == ["0.0", "1.0", "1.0"]  # of the trials, and the best


def test_a_metric_is_known_and_measured(copy: Path) -> None:
    script = """
import numpy as np
from trial_entry.contract.metrics import PRINTED, is_share
from trial_entry.measuring.all_metrics import all_metrics
from trial_entry.measuring.detections import Detections
detections = Detections([{"id": 1, "name": "drone"}])
boxes = np.array([[0, 0, 10, 10], [20, 20, 40, 40]], np.float32)
truth = {"boxes": boxes, "classes": np.array([1, 1]), "is_crowd": np.array([0, 0])}
detections.add(1, truth, {"boxes": boxes[:1], "classes": np.array([1]), "scores": np.array([0.9], np.float32)})
print("F1" in PRINTED, is_share("F1"), round(all_metrics(detections, {1: "drone"}, 0.5)["F1"], 4))
"""
    assert python(copy, "-c", script).split() == ["True", "True", "0.6667"]


def test_a_subcommand_is_listed_and_called(copy: Path) -> None:
    assert "List what searches." in python(copy, *BOXTUNE, "--help")
    assert "random random_state" in python(copy, *BOXTUNE, "algorithms")


def test_a_fragment_is_a_model(copy: Path, tmp_path: Path) -> None:
    config, assigned = QUICK_START / "pipeline.config", "feature_extractor=ssd_mobilenet_v1_keras"
    build = ("-m", "trial_entry", "build", f"--pipeline_config_path={config}", f"--model_dir={tmp_path}")
    python(copy, *build, "--set", assigned)
    built = json.loads((tmp_path / "build.json").read_text())
    assert "ssd_mobilenet_v1_keras" in json.dumps(built)
    assert not [case for case in built if case.get("error")], built
