"""What ended trials keep, and whether another fits."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from boxtune.errors import InputError, Interrupted
from boxtune.local.keeping import Keep, Keeper, has_lost_checkpoint, remove_checkpoints
from boxtune.runs.trial import Attempt, Condition, Role, Trial


@pytest.mark.parametrize("text", ["best", "best:0", "best:x", "some", ""])
def test_keep_is_best_all_or_none(text: str) -> None:
    with pytest.raises(InputError, match="must be best:N"):
        Keep.parse(text)
    assert (Keep.parse("best:2").best, Keep.parse("all").best, Keep.parse("none").best) == (2, None, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_trial_is_not_begun_where_it_may_not_fit(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a file system")
    try:
        with pytest.raises(Interrupted, match="100 MiB are free, the next trial may need 256 MiB"):
            Keeper(Keep(None), small).refuse_full_disk()
    finally:
        subprocess.run(["umount", str(small)], check=True)
    Keeper(Keep(None), tmp_path).refuse_full_disk()


def test_the_next_trial_may_need_what_the_largest_has(tmp_path: Path) -> None:
    (tmp_path / "trial").mkdir()
    with (tmp_path / "trial" / "ckpt-3.data").open("wb") as checkpoint:
        checkpoint.truncate(2**42)  # without taking the room
    keeper = Keeper(Keep(None), tmp_path)
    trial = Trial("t-0001", Role.SUGGESTED, 0, {}, condition=Condition.RUNNING, folder=tmp_path / "trial")
    keeper.weigh([trial, replace(trial, folder=None)])
    keeper.refuse_full_disk()
    keeper.weigh([replace(trial, condition=Condition.SUCCEEDED)])
    with pytest.raises(Interrupted, match=f"the next trial may need {2**43 // 2**20} MiB"):
        keeper.refuse_full_disk()


def test_a_trial_knows_whether_it_can_go_on(tmp_path: Path) -> None:
    model_dir = tmp_path / "volumes" / "model"
    model_dir.mkdir(parents=True)
    for name in ("trial.json", "pipeline.config", "checkpoint", "ckpt-3.index"):
        (model_dir / name).write_text("{}")
    attempts = (Attempt("2026-11-25T10:00:00Z", "2026-11-25T10:01:00Z", steps=3),)
    paused = Trial("t-0001", Role.SUGGESTED, 0, {}, condition=Condition.PAUSED, attempts=attempts, folder=tmp_path)
    assert not has_lost_checkpoint(paused)
    remove_checkpoints(tmp_path)
    assert has_lost_checkpoint(paused)
    assert not has_lost_checkpoint(replace(paused, attempts=(replace(attempts[0], ended=""),))), "never measured"
    assert not has_lost_checkpoint(replace(paused, folder=None)), "its MODEL_DIR is not here"
