"""The cache: bounded, shared by processes that may be killed, and never half-filled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bucket_faults import Fault, Faults
from trial_entry.errors import StorageError
from trial_entry.storage.paths import local_file, local_folder

MEBIBYTE = 1024 * 1024
FETCH = """
import sys
from trial_entry.errors import StorageError
from trial_entry.storage.paths import local_file, local_folder
for url in sys.argv[1:]:
    try:
        print((local_folder if url.endswith("/") else local_file)(url), flush=True)
    except StorageError as problem:
        print(problem, flush=True)
sys.stdin.read()
"""


class Reader:
    """A process that reads objects through the cache and lives until it is ended."""

    def __init__(self, *urls: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", FETCH, *urls], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        """The next path, or what went wrong."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        """As soon as all is read."""
        self.process.communicate("")


@contextmanager
def reading(*urls: str) -> Iterator[Reader]:
    reader = Reader(*urls)
    try:
        yield reader
    finally:
        reader.process.kill()
        reader.process.communicate()


def fetched(*urls: str) -> list[str]:
    """What a process that ends at once was told."""
    reader = Reader(*urls)
    lines = [reader.line() for _ in urls]
    reader.end()
    return lines


@pytest.fixture
def parts(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Six objects of 10 MiB each; the cache has room for three and a half."""
    monkeypatch.setenv("BOXTUNE_CACHE_GIB", str(35 / 1024))
    for number in range(6):
        bucket.blob(f"d/{number}").upload_from_string(os.urandom(10 * MEBIBYTE))
    return [f"gs://drones/d/{number}" for number in range(6)]


def kept(folder: Path) -> list[str]:
    return sorted(file.name for file in (folder / "objects").rglob("*") if file.is_file())


def test_what_was_unused_for_longest_goes_first(parts: list[str], tmp_path: Path) -> None:
    for url in (*parts[:3], parts[0]):
        fetched(url)
    fetched(parts[3])
    assert kept(tmp_path / "cache") == ["0", "2", "3"]
    assert not list((tmp_path / "cache" / "partial").iterdir())


def test_nothing_is_taken_from_a_living_process(parts: list[str], tmp_path: Path) -> None:
    with reading(*parts[:2]) as reader:
        held = [Path(reader.line()), Path(reader.line())]
        fetched(*parts[2:3])
        fetched(parts[3])
        assert kept(tmp_path / "cache") == ["0", "1", "3"]
        assert all(file.stat().st_size == 10 * MEBIBYTE for file in held)
        (answer,) = fetched("gs://drones/d/")  # sixty MiB
        assert answer.endswith("more than the 0.0342 that BOXTUNE_CACHE_GIB allows; allow more")
        assert all(file.exists() for file in held)
    fetched(*parts[3:5])  # killed: it holds nothing any more
    assert len(kept(tmp_path / "cache")) == 3


def test_a_folder_is_held_as_a_whole(parts: list[str], bucket: Any, tmp_path: Path) -> None:
    for name in ("0", "1"):
        bucket.copy_blob(bucket.blob(f"d/{name}"), bucket, f"f/{name}")
    with reading("gs://drones/f/") as reader:
        folder = Path(reader.line())
        fetched(parts[2])
        fetched(parts[3])
        assert sorted(file.name for file in folder.iterdir()) == ["0", "1"]
        assert kept(tmp_path / "cache") == ["0", "1", "3"]
    fetched(parts[4])
    fetched(parts[5])
    fetched(parts[3])
    assert kept(tmp_path / "cache") == ["3", "4", "5"]
    assert not list((tmp_path / "cache" / "trees").iterdir())


def test_two_processes_that_start_at_once_fetch_it_once(parts: list[str], faults: Faults) -> None:
    with reading(*parts[:3]) as one, reading(*parts[:3]) as other:
        assert [one.line() for _ in range(3)] == [other.line() for _ in range(3)]
    assert len([each for each in faults.requests if "alt=media" in each]) == 3


def test_killed_while_it_fetches(parts: list[str], faults: Faults, tmp_path: Path) -> None:
    """Whoever waits for it goes on; nothing half-fetched is seen or stays."""
    slow = faults.add(Fault("slow", about="alt=media", after=30))
    with reading(parts[0]) as first:
        while not slow.happened:
            pass
        with reading(parts[0]) as second:
            first.process.kill()
            file = Path(second.line())
    assert file.stat().st_size == 10 * MEBIBYTE
    fetched(parts[1])
    assert kept(tmp_path / "cache") == ["0", "1"]
    assert not list((tmp_path / "cache" / "partial").iterdir())


def test_what_a_killed_process_left_is_swept(parts: list[str], faults: Faults, tmp_path: Path) -> None:
    faults.add(Fault("slow", about="alt=media", after=30))
    partial = tmp_path / "cache" / "partial"
    with reading(parts[0]):
        while not (partial.exists() and list(partial.iterdir())):
            pass
    assert list(partial.iterdir())
    fetched(parts[1])
    assert not list(partial.iterdir())


@pytest.mark.parametrize("text", ["none", "0", "-1", "nan", "inf"])
def test_a_limit_that_is_none(parts: list[str], monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("BOXTUNE_CACHE_GIB", text)
    with pytest.raises(StorageError, match=f"BOXTUNE_CACHE_GIB={text}: must be a number of GiB above 0"):
        local_file(parts[0])


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of 24 MiB for the cache."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=False).returncode:
        pytest.skip("only root can make a small file system")
    monkeypatch.setenv("BOXTUNE_CACHE", str(folder / "cache"))
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_disk_that_is_full(parts: list[str], small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody uses makes way; then it is said, and nothing is half there."""
    fetched(parts[0])
    fetched(parts[1])
    fetched(parts[2])
    assert kept(small_disk / "cache") == ["1", "2"]
    with reading(parts[1]) as reader:
        reader.line()
        (small_disk / "other").write_bytes(b"x" * 3 * MEBIBYTE)
        monkeypatch.setenv("BOXTUNE_CACHE_GIB", "1")
        with pytest.raises(StorageError, match=r"cache: 40.0 MiB are to be fetched and \d+.\d MiB are free there; BOX"):
            local_folder("gs://drones/d/")
    assert not list((small_disk / "cache" / "partial").iterdir())


def test_a_disk_that_fills_meanwhile(parts: list[str], faults: Faults, small_disk: Path) -> None:
    slow = faults.add(Fault("slow", about="alt=media", after=2))
    with reading(parts[0]) as reader:
        while not slow.happened:
            pass
        (small_disk / "other").write_bytes(b"x" * 20 * MEBIBYTE)
        assert reader.line() == f"{small_disk}/cache: No space left on device; BOXTUNE_CACHE says where copies go"
    assert not list((small_disk / "cache" / "partial").iterdir())
    assert not list((small_disk / "cache" / "objects").iterdir())
    (small_disk / "other").unlink()
    assert local_file(parts[0]).stat().st_size == 10 * MEBIBYTE
