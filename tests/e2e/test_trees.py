"""Real airborne pictures of trees, annotated as VOC and CSV: imported, tiled, checked, trained on for a hundred steps.

They are in the wheel of the PyPI package deepforest, which is downloaded and not installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.boxtune.data.imported import examples, labels_of
from tests.conftest import QUICK_START
from tests.experiments import BOXTUNE

PACKAGE = "deepforest==2.1.0"
STEPS = 100


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package's pictures and annotations."""
    folder = tmp_path_factory.mktemp("trees")
    python = Path(sys.base_prefix) / "bin" / "python3"
    command = [str(python), "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    if subprocess.run(command, check=False).returncode:
        pytest.skip(f"{PACKAGE} cannot be downloaded here")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        for name in wheel.namelist():
            if name.startswith("deepforest/data/"):
                (folder / Path(name).name).write_bytes(wheel.read(name))
    return folder


def run(*words: str | Path) -> str:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_table_is_imported(trees: Path, tmp_path: Path) -> None:
    said = run(*BOXTUNE, "data", "import", trees / "OSBS_029.csv", "--out", tmp_path / "out")
    assert "TIFF" in said  # which is written anew
    assert "61 objects (Tree 61)" in said


def test_from_annotations_to_a_trained_detector(trees: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    said = run(
        *BOXTUNE, "data", "import", trees, "--format", "voc", "--out", out, "--tile", "400", "--overlap", "0.2",
        "--split", "validation=0.3", "--config", QUICK_START / "pipeline.config",
    )  # fmt: skip
    assert re.search(r"skipped: 3 images without an XML file", said)
    assert labels_of(out) == {1: "Alive", 2: "Dead", 3: "Tree"}
    found = list(examples(out))
    assert {split for split, _ in found} == {"train", "validation"}
    assert len({name.filename for _, name in found}) == len(found) > 50
    assert sum(len(example.objects) for _, example in found) > 951  # of whole pictures; what is on seams counts twice
    assert "no errors" in run(*BOXTUNE, "data", "check", out, "--config", out / "pipeline.config")
    sheet = tmp_path / "sheet.html"
    run(*BOXTUNE, "data", "show", out, "--out", sheet)
    assert sheet.stat().st_size > 100_000
    assert "no errors" in run(*BOXTUNE, "check", out / "experiment.yaml", "--volume", f"data={out}", "--build")
    trial = [sys.executable, "-m", "trial_entry", f"--pipeline_config_path={out / 'pipeline.config'}"]
    printed = run(*trial, f"--model_dir={tmp_path / 'model'}", f"--num_train_steps={STEPS}", "--seed=1")
    metrics = dict(re.findall(r" (\w+)=([\d.e+-]+)$", printed, re.MULTILINE))
    assert float(metrics["total_loss"]) > 0
    assert 0 <= float(metrics["mAP"]) <= 1
    assert "recall" in metrics
