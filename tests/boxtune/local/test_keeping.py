"""What ended trials keep, and whether another fits."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from boxtune.errors import InputError, Interrupted
from boxtune.local.keeping import Keep, Keeper


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
