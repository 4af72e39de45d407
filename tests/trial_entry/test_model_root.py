"""`--model_root`: rungs of one training, asked for one after the other, by real trainings."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_config
from tests.forks import Run
from tests.trials import Ended, Running, rows, run, train_arguments, trial

FIXED = ("--deterministic", "--seed=3", "--set=augmentation.ssd_random_crop=true")


def asked(config: Path, root: Path, *more: str) -> list[str]:
    return [f"--pipeline_config_path={config}", f"--model_root={root}", *more]


def values(model_dir: Path) -> dict[int, dict[str, float]]:
    """Metrics by step, without the speed."""
    found: dict[int, dict[str, float]] = {}
    for row in rows(model_dir):
        assert row["step"] not in found
        found[row["step"]] = {name: value for name, value in row["metrics"].items() if "per_second" not in name}
    return found


def the_only(root: Path) -> Path:
    (model_dir,) = root.iterdir()
    return model_dir


def reported(ended: Ended) -> int:
    """How many evaluations were printed."""
    return len([1 for _, name, _ in ended.metrics if name == "mAP"])


@pytest.fixture(scope="module")
def rungs(digits: Path, tmp_path_factory: pytest.TempPathFactory, forked: Run) -> tuple[Path, list[Ended]]:
    """A root with a training asked for 2, 4 and 6 steps of 6, and what each of the three trials said."""
    folder = tmp_path_factory.mktemp("rungs")
    for file in digits.iterdir():
        os.link(file, folder / file.name)
    config = write_config(folder)
    done = [forked(*asked(config, folder / "root", *FIXED, f"--num_train_steps={steps}")) for steps in (2, 4, 6)]
    assert [ended.code for ended in done] == [0, 0, 0], done[-1].err
    return folder / "root", done


@pytest.fixture
def again(rungs: tuple[Path, list[Ended]], tmp_path: Path) -> tuple[Path, Path]:
    """The config, and a copy of the root for a test that changes it."""
    shutil.copytree(rungs[0], tmp_path / "root")
    return rungs[0].parent / "pipeline.config", tmp_path / "root"


def test_the_folder_has_the_digest_of_the_config_and_the_seed(rungs: tuple[Path, list[Ended]]) -> None:
    root, done = rungs
    model_dir = the_only(root)
    said = trial(model_dir)
    assert model_dir.name == f"{said['config_digest'][:16]}-3"
    assert said["model_dir"] == str(model_dir)
    assert (said["seed"], said["steps"], len(said["started"])) == (3, 6, 3)
    assert all(f"MODEL_DIR is {model_dir}" in ended.err for ended in done)
    assert re.findall(r"(?:going on|training) from step \d+", "".join(ended.err for ended in done)) == [
        "training from step 0",
        "going on from step 2",
        "going on from step 4",
    ]


def test_a_later_rung_prints_the_lines_of_the_earlier_ones_first(rungs: tuple[Path, list[Ended]]) -> None:
    first, second, third = (ended.out for ended in rungs[1])
    assert second.startswith(first)
    assert third.startswith(second)
    assert [reported(ended) for ended in rungs[1]] == [1, 2, 3]


def test_rungs_end_where_one_straight_training_does(
    rungs: tuple[Path, list[Ended]], tmp_path: Path, forked: Run
) -> None:
    """To every digit, with random crops: what the input gave to earlier rungs is passed over."""
    root, _ = rungs
    straight = forked(*train_arguments(root.parent / "pipeline.config", tmp_path / "m", *FIXED, "--eval_every_n=2"))
    assert straight.code == 0, straight.err
    assert values(the_only(root)) == values(tmp_path / "m")


@pytest.mark.parametrize(("steps", "count"), [(2, 1), (4, 2), (6, 3)])
def test_a_rung_that_was_there_before_prints_its_own_steps_alone(
    rungs: tuple[Path, list[Ended]], steps: int, count: int, forked: Run
) -> None:
    root, done = rungs
    before = trial(the_only(root))
    ended = forked(*asked(root.parent / "pipeline.config", root, *FIXED, f"--num_train_steps={steps}"))
    assert (ended.code, ended.out) == (0, done[count - 1].out)
    assert f"finished before, at step {steps}" in ended.err
    assert ("has gone on to step 6 since" in ended.err) == (steps < 6)
    assert trial(the_only(root)) == before


def test_a_step_that_was_not_measured_is_answered_by_the_one_before_and_none_by_a_later_one(
    rungs: tuple[Path, list[Ended]], forked: Run
) -> None:
    root, done = rungs
    config = root.parent / "pipeline.config"
    ended = forked(*asked(config, root, *FIXED, "--num_train_steps=3"))
    assert (ended.code, ended.out) == (0, done[0].out)
    assert "step 3 was not measured, and the training is at step 6 already; what is reported is step 2" in ended.err
    early = forked(*asked(config, root, *FIXED, "--num_train_steps=1"))
    assert (early.code, early.out) == (2, "")
    assert "ask for 2 steps or more" in early.reason


def test_without_a_seed_it_is_0_and_the_schedule_is_another_folder(data: Path, tmp_path: Path, forked: Run) -> None:
    config, root = data / "pipeline.config", tmp_path / "root"
    assert forked(*asked(config, root, "--num_train_steps=1")).code == 0
    assert forked(*asked(config, root, "--num_train_steps=1", "--set=num_steps=8")).code == 0
    names = sorted(folder.name for folder in root.iterdir())
    assert [name.rpartition("-")[2] for name in names] == ["0", "0"]
    assert [trial(root / name)["seed"] for name in names] == [0, 0]


def damage(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        opened.write(b"\0" * 64 + b"\xff" * 64)


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_a_lost_checkpoint_is_trained_again_and_measured_again(again: tuple[Path, Path], how: str, forked: Run) -> None:
    """`checkpoint` names files that are not there, or that are not what was written."""
    config, root = again
    model_dir = the_only(root)
    before = values(model_dir)
    shutil.rmtree(model_dir / "best")
    [content] = model_dir.glob("ckpt-6.data-*")
    if how == "gone":
        (model_dir / "ckpt-6.index").unlink()
        content.unlink()
    else:
        damage(content)
    ended = forked(*asked(config, root, *FIXED, "--num_train_steps=8"))
    assert ended.code == 0, ended.err
    (warned,) = (line for line in ended.err.splitlines() if "the checkpoint of step 6" in line)
    assert ("cannot be read" if how == "damaged" else "is not there") in warned
    assert warned.endswith("training again from the start")
    found = values(model_dir)
    assert list(found) == [2, 4, 6, 8]
    assert {step: found[step] for step in before} == before, "deterministic, and of the same seed as before"
    assert reported(ended) == 7, "three of before, and each step as it was measured again"
    assert {file.name.partition(".")[0] for file in model_dir.glob("ckpt-*")} == {"ckpt-8"}


@pytest.mark.e2e
def test_the_best_checkpoint_is_gone_on_from_only_where_it_is_the_last(again: tuple[Path, Path], forked: Run) -> None:
    config, root = again
    model_dir = the_only(root)
    pieces = [*model_dir.glob("ckpt-6.*")]
    shutil.rmtree(model_dir / "best")
    (model_dir / "best").mkdir()
    for piece in pieces:
        piece.rename(model_dir / "best" / piece.name)
    (model_dir / "best" / "checkpoint").write_text('model_checkpoint_path: "ckpt-6"\n')
    ended = forked(*asked(config, root, *FIXED, "--num_train_steps=7"))
    assert ended.code == 0, ended.err
    assert "going on from step 6, to 7" in ended.err
    assert "the checkpoint of step" not in ended.err
    assert list(values(model_dir)) == [2, 4, 6, 7]
    for piece in model_dir.glob("ckpt-7.*"):
        piece.unlink()
    if not [*(model_dir / "best").glob("ckpt-7.index")]:
        ended = forked(*asked(config, root, *FIXED, "--num_train_steps=8"))
        assert "the checkpoint of step 7 is not there; training again from the start" in ended.err


def test_a_root_is_for_one_set_of_data_wherever_it_lies(again: tuple[Path, Path], tmp_path: Path, forked: Run) -> None:
    config, root = again
    moved = tmp_path / "moved"
    shutil.copytree(config.parent, moved, ignore=shutil.ignore_patterns("root"))
    ended = forked(*asked(moved / config.name, root, *FIXED, "--num_train_steps=4"))
    assert (ended.code, reported(ended)) == (0, 2), ended.err
    assert str(moved) in (the_only(root) / "pipeline.config").read_text()
    shutil.copy(moved / "test.record", moved / "validation.record")
    other = forked(*asked(moved / config.name, root, *FIXED, "--num_train_steps=4"))
    assert (other.code, other.out) == (2, "")
    assert "was trained with other data (eval_input_reader.0: not the same digest)" in other.reason


def test_two_at_a_time_and_stop_finds_the_trial_that_runs_here(data: Path, tmp_path: Path, forked: Run) -> None:
    config, root = data / "pipeline.config", tmp_path / "root"
    first = Running(*asked(config, root, "--set=num_steps=3000", "--checkpoint_every_n=5"))
    first.wait_for(lambda: [*root.glob("*/ckpt-5.index")])
    model_dir = the_only(root)
    second = forked(*asked(config, root, "--set=num_steps=3000"))
    assert (second.code, second.out) == (2, "")
    assert second.reason == f"{model_dir}: in use by process {first.process.pid}; wait for it or give another folder"
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        elsewhere = root / "0123456789abcdef-0"  # of another pod, in which another process has this id
        elsewhere.mkdir()
        (elsewhere / "trial.lock").write_text(f"{bystander.pid}\n")
        stopped = run("stop", f"--model_root={root}")
        assert stopped.code == 0, stopped.err
        assert first.process.wait(timeout=10) == 143
        assert stopped.reason.endswith(f"process {first.process.pid} has ended")
        assert bystander.poll() is None
        nothing = run("stop", f"--model_root={root}")
        assert (nothing.code, nothing.reason.endswith(f"no trial is running below {root}")) == (0, True)
    finally:
        bystander.kill()
        bystander.wait()


def test_a_lock_that_is_held_where_this_process_cannot_see_is_no_reason_to_signal_anybody(tmp_path: Path) -> None:
    import fcntl

    with (tmp_path / "trial.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("1\n")  # of another pod; here it is somebody else
        lock.flush()
        ended = run("stop", f"--model_dir={tmp_path}", "--timeout=0")
    assert ended.code == 2
    assert "process 1 holds it, which cannot be seen from here; stop it where it runs" in ended.reason


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB: room for three checkpoints."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.e2e
@pytest.mark.parametrize("room", [0, 4_000_000])
def test_a_full_disk_is_one_line_and_loses_nothing(
    again: tuple[Path, Path], small_disk: Path, room: int, rungs: Any, forked: Run
) -> None:
    """No room at all, or some for trial.json but none for a checkpoint; then there is, and the training goes on."""
    config, _ = again
    root = small_disk / "root"
    shutil.copytree(rungs[0], root)
    model_dir = the_only(root)
    filler = small_disk / "filler"
    free = os.statvfs(small_disk)
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize))
    os.truncate(filler, max(0, filler.stat().st_size - room))
    ended = forked(*asked(config, root, *FIXED, "--num_train_steps=8"))
    assert ended.code == 2, ended.err
    assert ended.reason.endswith("make room, and the same command goes on")
    assert ("the checkpoint of step 8 cannot be written: the disk is full" in ended.reason) == bool(room)
    assert "Traceback" not in ended.err
    filler.unlink()
    ended = forked(*asked(config, root, *FIXED, "--num_train_steps=8"))
    assert ended.code == 0, ended.err
    assert "going on from step 6, to 8" in ended.err
    assert list(values(model_dir)) == [2, 4, 6, 8]


def test_a_read_only_disk_is_one_line(data: Path, small_disk: Path, forked: Run) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    ended = forked(*asked(data / "pipeline.config", small_disk / "root", "--num_train_steps=1"))
    assert (ended.code, ended.out) == (2, "")
    assert re.fullmatch(f"{small_disk}/root/[0-9a-f]{{16}}-0: cannot be written: Read-only file system", ended.reason)
    assert "Traceback" not in ended.err


@pytest.mark.e2e
def test_sigterm_in_a_rung_leaves_it_to_the_next(data: Path, tmp_path: Path, forked: Run) -> None:
    config, root = data / "pipeline.config", tmp_path / "root"
    process = Running(*asked(config, root, "--set=num_steps=3000", "--checkpoint_every_n=5", "--num_train_steps=2000"))
    process.wait_for(lambda: [*root.glob("*/ckpt-10.index")])
    ended = process.kill(signal.SIGTERM)
    assert ended.code == 143, ended.err
    stands = trial(the_only(root))["steps"]
    less = forked(*asked(config, root, "--set=num_steps=3000", "--num_train_steps=5"))
    assert less.code == 2
    assert f"step 5 was not measured, and the training is at step {stands} already; ask for more steps" in less.reason
    more = forked(*asked(config, root, "--set=num_steps=3000", f"--num_train_steps={stands + 2}"))
    assert more.code == 0, more.err
    assert f"going on from step {stands}, to {stands + 2}" in more.err
    assert list(values(the_only(root))) == [stands + 2]
