"""Pipelines on this machine by `kfp.local`: what ends at the first step, and what the command says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import QUICK_START
from tests.experiments import boxtune

FILE = QUICK_START.with_suffix(".yaml")


def test_a_refused_experiment_ends_the_pipeline_at_its_first_step(digits: Path, tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(FILE.read_text().replace("max: '0.05'", "max: 'abc'"))
    out = tmp_path / "out"
    ended = boxtune("pipeline", "run", "tune_and_train", "--experiment", file, "--data", digits, "--out", out)
    assert ended.code == 2
    assert ended.reason.startswith("boxtune: digests: the Experiment is refused: line ")
    assert '"abc" is no number' in ended.reason
    lines = ended.out.splitlines()
    assert lines[0] == "digests: begins"
    assert lines[-1] == "digests: failed"
    assert not [line for line in lines if line.startswith("check_data")]
    assert "Traceback" not in ended.out + ended.err
    assert "finished with status" in (out / "kfp.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "nothing: no such pipeline; there are tune_and_train"),
        (["tune_and_train", "--experiment", FILE], "data: must be given for tune_and_train: The folder of"),
        (["train_only", "--experiment", FILE], "experiment: the pipeline train_only has no such parameter"),
        (["tune_and_train", "-p", "seeds=two"], 'seeds: "two" must be a whole number'),
        (["tune_and_train", "--experiment", FILE, "--data", ".", "-p", "engine=katib"], "engine katib: of a cluster"),
        (["train_only", "--config", FILE, "--data", ".", "--out", "/proc/out"], "/proc/out: cannot be written"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(arguments: list[str], words: str) -> None:
    ended = boxtune("pipeline", "run", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.reason.startswith(f"boxtune: {words}")


def test_what_only_a_cluster_can_do_is_said(digits: Path, tmp_path: Path) -> None:
    given = ["--config", f"{tmp_path}/none.config", "--data", str(digits), "--out", f"{tmp_path}/out"]
    ended = boxtune("pipeline", "run", "train_only", *given, "-p", "gpus=1", "-p", 'node_selector={"a": "b"}')
    assert ended.code == 2
    note, reason = ended.err.splitlines()
    assert note == "note: gpus, node_selector: of a cluster; a run on this machine has no use for it"
    assert reason.startswith(f"boxtune: digests: {tmp_path}/none.config: cannot be read: ")


def test_a_bucket_is_no_place_for_a_local_run() -> None:
    ended = boxtune("pipeline", "run", "train_only", "--out", "gs://bucket/out")
    assert ended.code == 2
    assert "give a folder of this machine" in ended.reason


def test_the_list_says_what_there_is() -> None:
    ended = boxtune("pipeline", "list")
    assert ended.code == 0
    assert "tune_and_train: Search what an Experiment says" in ended.out
    assert "  seeds (int, 1): How often" in ended.out
    assert "  data (str, must be given): The folder of the records" in ended.out


@pytest.mark.parametrize("option", ["--out", "publish_to"])
def test_a_run_writes_nothing_into_its_data(digits: Path, tmp_path: Path, option: str) -> None:
    """Their digest would be another each time, and nothing ever be taken from an earlier run."""
    inside = f"{digits}/runs"
    more = ["--out", inside] if option == "--out" else ["--out", f"{tmp_path}/out", "-p", f"publish_to={inside}"]
    ended = boxtune("pipeline", "run", "train_only", "--config", "none", "--data", digits, *more)
    assert (ended.code, ended.out) == (2, "")
    assert ended.reason.startswith(f"boxtune: {option} {inside}: lies within --data {digits}, which")
    assert not (digits / "runs").exists()


def test_a_full_disk_is_one_line(digits: Path, tmp_path: Path) -> None:
    (tmp_path / "kfp.log").symlink_to("/dev/full")
    ended = boxtune("pipeline", "run", "train_only", "--config", "none", "--data", digits, "--out", tmp_path)
    assert ended.code == 130
    assert "No space left on device; make room, and the same command goes on" in ended.reason
    assert "Traceback" not in ended.err
