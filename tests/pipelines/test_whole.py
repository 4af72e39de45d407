"""Whole pipelines on this machine, real trainings of a few steps: from data or annotations to a detector."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from boxtune.delivery.manifest import verify
from boxtune.demo.digits import DigitsSpec, make_digits
from boxtune.local.reading import open_run
from tests.conftest import QUICK_START
from tests.experiments import BOXTUNE, boxtune
from tests.pipelines.annotated import write_annotated
from tests.pipelines.outcomes import detects, is_complete
from tests.trials import Ended

pytestmark = pytest.mark.e2e

FILE = QUICK_START.with_suffix(".yaml")
SHORT = ("-p", "max_trials=1", "-p", "num_steps=12", "-p", 'formats=["saved_model"]', "-p", "model_name=digits")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    make_digits(folder, DigitsSpec(train_images=64, validation_images=24, test_images=24))
    return folder


@pytest.fixture(scope="module")
def annotated(records: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_annotated(records, tmp_path_factory.mktemp("annotated") / "digits")


def search_of(records: Path, folder: Path, *more: str) -> list[str]:
    """The command."""
    given = ["--experiment", str(FILE), "--data", str(records), "--out", str(folder / "out")]
    return ["pipeline", "run", "tune_and_train", *given, *more]


def outputs(ended: Ended) -> dict[str, str]:
    """What the command says in the end, by name."""
    assert ended.code == 0, ended.err + ended.out
    return dict(re.findall(r"^(place|report|evaluation|model|published): (.*)$", ended.out, re.MULTILINE))


def steps(ended: Ended) -> list[str]:
    """Those that were done, in order."""
    return re.findall(r"^(\w+): done in ", ended.out, re.MULTILINE)


def test_from_records_to_a_model_and_the_same_again(
    records: Path, annotated: tuple[Path, Path], tmp_path: Path
) -> None:
    given = search_of(records, tmp_path, *SHORT, "-p", f"publish_to={tmp_path}/published")
    first = boxtune(*given)
    found = outputs(first)
    assert sorted(steps(first)) == sorted(
        ["digests", "check_data", "search", "train", "evaluate", "export", "publish", "report"]
    )
    assert found["place"] == f"{tmp_path}/published/1"
    manifest = verify(Path(found["published"]))
    assert manifest is not None
    assert manifest == verify(Path(found["place"]))
    assert manifest.name == "digits"
    is_complete(found["report"])
    is_complete(found["evaluation"])
    detects(found["published"], next(annotated[1].glob("test-*")), tmp_path / "predictions")

    again = boxtune(*given)
    assert "check_data" not in steps(again)  # from the cache
    assert "quick-start-0001 started" not in again.out  # the search went on, at its end
    assert (
        outputs(again)["place"] == f"{tmp_path}/published/2"
    )  # what was measured and exported anew is another version
    record = records / "train.record"
    before = record.read_bytes()
    try:
        record.write_bytes(before + before)  # another data set behind the same path
        changed = boxtune(*given, "-p", "max_trials=0")
        assert "check_data: begins" in changed.out
    finally:
        record.write_bytes(before)


def test_from_annotations_to_a_model(annotated: tuple[Path, Path], tmp_path: Path) -> None:
    file, images = annotated
    config = QUICK_START / "pipeline.config"
    given = ["--annotations", str(file), "--images", str(images), "--config", str(config), "-p", "group=none", *SHORT]
    found = outputs(boxtune("pipeline", "run", "import_tune_and_train", *given, "--out", tmp_path / "out"))
    is_complete(found["report"])
    assert found["place"] == found["published"]
    detects(found["published"], next(images.glob("test-*")), tmp_path / "predictions")


def test_from_a_config_to_a_model(records: Path, annotated: tuple[Path, Path], tmp_path: Path) -> None:
    given = ["--config", str(QUICK_START / "pipeline.config"), "--data", str(records), *SHORT[2:]]
    ended = boxtune("pipeline", "run", "train_only", *given, "--out", tmp_path / "out")
    found = outputs(ended)
    assert sorted(steps(ended)) == sorted(["digests", "check_data", "train", "evaluate", "export", "publish"])
    detects(found["published"], next(annotated[1].glob("test-*")), tmp_path / "predictions")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_was_killed_goes_on(records: Path, tmp_path: Path, number: signal.Signals) -> None:
    short = ("-p", "max_trials=2", "-p", "parallel=1", "-p", "num_steps=4", "-p", 'formats=["saved_model"]')
    given = search_of(records, tmp_path, *short)
    process = subprocess.Popen([*BOXTUNE, *given], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "quick-start-0001 started" in line:
            break
    process.send_signal(number)
    _, error = process.communicate(timeout=120)
    assert process.returncode == (130 if number is signal.SIGTERM else -9)
    if number is signal.SIGTERM:
        assert error == f"boxtune: {tmp_path}/out: the run was interrupted; the same command goes on\n"
    [run] = (tmp_path / "out" / "searches").glob("quick-start-*")
    deadline = time.monotonic() + 90
    while (run / "run.lock").exists() and _is_held(run / "run.lock"):
        assert time.monotonic() < deadline, "the step goes on without its runner"
        time.sleep(0.5)
    again = boxtune(*given)
    outputs(again)
    baseline = open_run(run).baseline
    assert baseline is not None
    assert len(baseline.attempts) == 1  # it had ended, and was not trained again
    assert "quick-start-baseline started" not in again.out


def _is_held(lock: Path) -> bool:
    code = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    ended = subprocess.run([sys.executable, "-c", code, str(lock)], capture_output=True, check=False)
    return ended.returncode != 0


def test_each_step_in_a_container(records: Path, annotated: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("docker", reason="the package docker is not installed")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.skip("no docker here (DOCKER_HOST)")
    image = os.environ.get("BOXTUNE_PIPELINE_IMAGE", "")
    if not image:
        pytest.skip("BOXTUNE_PIPELINE_IMAGE names no image (scripts/image pipeline cpu builds one)")
    given = search_of(records, tmp_path, *SHORT, "-p", f"publish_to={tmp_path}/published")
    found = outputs(boxtune(*given, "--runner", "docker", "--image", image))
    assert Path(found["place"]).is_dir()
    detects(found["published"], next(annotated[1].glob("test-*")), tmp_path / "predictions")


def test_an_image_that_is_not_there_is_one_line(records: Path, tmp_path: Path) -> None:
    pytest.importorskip("docker", reason="the package docker is not installed")
    given = search_of(records, tmp_path)
    ended = boxtune(*given, "--runner", "docker", "--image", "boxtune-nowhere:0")
    assert ended.code == 2
    assert ended.reason.startswith("boxtune: docker: ")
    assert "Traceback" not in ended.err
