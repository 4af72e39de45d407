"""`python -m trial_entry fetch`: what an init container runs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bucket_faults import Fault, Faults
from tests.s3_fixtures import s3_bucket, s3_faults, s3_proxy, s3_server
from trial_entry.contract.files import FETCHED_FILE
from trial_entry.contract.requests import PROGRAM, FetchRequest
from trial_entry.storage.urls import Remote

__all__ = ["s3_bucket", "s3_faults", "s3_proxy", "s3_server"]
CONTENT = {"train.record": b"records", "deep/label_map.pbtxt": b"labels"}


def started(to: Path, cache: Path | None = None, digest: str | None = None) -> subprocess.Popen[str]:
    request = FetchRequest(source=Remote("s3://drones/data"), folder=to, cache=cache, digest=digest)
    return subprocess.Popen([*PROGRAM, *request.argv()], stderr=subprocess.PIPE, text=True)


def fetched(to: Path, cache: Path | None = None, digest: str | None = None) -> tuple[int, str]:
    """Its exit code, and its last line."""
    process = started(to, cache, digest)
    _, said = process.communicate(timeout=60)
    return process.returncode, said.strip().splitlines()[-1]


def contents(folder: Path) -> dict[str, bytes]:
    found = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return {name: content for name, content in found.items() if name != FETCHED_FILE}


@pytest.fixture
def data(s3_bucket: Any) -> Any:
    for name, content in CONTENT.items():
        s3_bucket.put_object(Bucket="drones", Key=f"data/{name}", Body=content)
    return s3_bucket


def test_all_of_it_and_the_same_again_does_nothing(data: Any, s3_faults: Faults, tmp_path: Path) -> None:
    to = tmp_path / "data"
    code, said = fetched(to)
    assert (code, contents(to)) == (0, CONTENT)
    assert f"{to}: 2 files, 0.0 MiB" in said
    assert (to / "train.record").stat().st_mode & 0o777 == 0o444
    assert (to / FETCHED_FILE).exists()
    s3_faults.clear()
    assert fetched(to)[0] == 0
    assert not [each for each in s3_faults.requests if "/data/" in each]  # listed, not fetched
    data.put_object(Bucket="drones", Key="data/train.record", Body=b"other records")
    assert fetched(to)[0] == 0
    assert contents(to)["train.record"] == b"other records"


def test_one_fetches_into_the_cache_and_the_others_take_its_copy(data: Any, s3_faults: Faults, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    processes = [started(tmp_path / str(number), cache, "abc") for number in range(3)]
    for process in processes:
        process.communicate(timeout=90)
        assert process.returncode == 0
    assert [contents(tmp_path / str(number)) for number in range(3)] == [CONTENT] * 3
    assert len([each for each in s3_faults.requests if each.startswith("GET /drones/data/train")]) == 1
    assert contents(cache / "abc") == CONTENT
    data.put_object(Bucket="drones", Key="data/train.record", Body=b"other records")
    assert fetched(tmp_path / "new", cache)[0] == 0  # by its own digest
    assert contents(tmp_path / "new")["train.record"] == b"other records"
    assert fetched(tmp_path / "again", cache, "abc")[0] == 0
    assert contents(tmp_path / "again") == CONTENT  # what has the name in the cache is the same for all


def test_killed_in_the_middle(data: Any, s3_faults: Faults, tmp_path: Path) -> None:
    """Nothing says that all is there; the next one goes on."""
    to, cache = tmp_path / "data", tmp_path / "cache"
    slow = s3_faults.add(Fault("slow", about="/drones/data/train", times=1, after=30))
    process = started(to, cache, "abc")
    while not slow.happened:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said.strip().splitlines()[-1]) == (143, "stopped by SIGTERM before all was fetched")
    assert not list(cache.rglob(FETCHED_FILE))
    assert fetched(to, cache, "abc")[0] == 0
    assert contents(to) == CONTENT


def test_refusals(data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXTUNE_STORAGE_SECONDS", "1")
    for url, why in (
        ("s3://drones/nothing", "s3://drones/nothing: nothing is there"),
        ("s3://nobodys/data", "s3://nobodys/data/: no such bucket on "),
    ):
        request = FetchRequest(source=Remote(url), folder=tmp_path / "to")
        done = subprocess.run([*PROGRAM, *request.argv()], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.strip().splitlines()[-1].startswith(why)
    (tmp_path / "file").touch()
    code, said = fetched(tmp_path / "file" / "data")
    assert (code, said) == (2, f"{tmp_path}/file/data: Not a directory")
    for arguments, why in (
        (["--from=/data", "--to=x"], "argument --from: /data: write gs://BUCKET/PREFIX or s3://BUCKET/PREFIX"),
        (["--from=s3://a/b", "--to=gs://a/b"], "argument --to: gs://a/b: must be a path of this machine here"),
        (["--from=s3://a/b", "--to=x", "--digest=../x"], "argument --digest: ../x: must be of letters"),
    ):
        done = subprocess.run([*PROGRAM, "fetch", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.strip().splitlines()[-1].startswith(why)


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes a disk")
def test_no_room(data: Any, tmp_path: Path) -> None:
    data.put_object(Bucket="drones", Key="data/train.record", Body=b"x" * 2**21)
    to = tmp_path / "small"
    to.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(to)], check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        code, said = fetched(to)
        assert (code, said) == (2, f"{to}: cannot be written: No space left on device")
    finally:
        subprocess.run(["umount", str(to)], check=True)


def test_what_is_gone_from_the_bucket_goes_and_what_others_put_there_stays(data: Any, tmp_path: Path) -> None:
    for to, cache in ((tmp_path / "data", None), (tmp_path / "other", tmp_path / "cache")):
        data.put_object(Bucket="drones", Key="data/train-2.record", Body=b"more")
        assert fetched(to, cache)[0] == 0
        (to / "notes").write_bytes(b"mine")
        data.delete_object(Bucket="drones", Key="data/train-2.record")
        assert fetched(to, cache)[0] == 0
        assert contents(to) == {**CONTENT, "notes": b"mine"}


def test_a_damaged_copy_is_fetched_again(data: Any, s3_faults: Faults, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert fetched(tmp_path / "first", cache, "abc")[0] == 0
    record = cache / "abc" / "train.record"
    record.unlink()
    assert fetched(tmp_path / "second", cache, "abc")[0] == 0
    record.chmod(0o644)
    record.write_bytes(b"")  # which empties the links to it, too
    for name in ("second", "third"):
        assert fetched(tmp_path / name, cache, "abc")[0] == 0
    for name in ("first", "second", "third"):
        assert contents(tmp_path / name) == CONTENT
    assert contents(cache / "abc") == CONTENT
    assert len([each for each in s3_faults.requests if each.startswith("GET /drones/data/train")]) == 3


def test_two_into_one_folder(data: Any, s3_faults: Faults, tmp_path: Path) -> None:
    """The second one takes nothing away from the first, which is slow."""
    slow = s3_faults.add(Fault("slow", about="/drones/data/train", times=1, after=3))
    first = started(tmp_path / "data")
    while not slow.happened:
        time.sleep(0.05)
    assert fetched(tmp_path / "data")[0] == 0
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert contents(tmp_path / "data") == CONTENT
