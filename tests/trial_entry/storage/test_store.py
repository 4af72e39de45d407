"""Stores: a folder and a bucket, held to the same."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bucket_faults import Fault, Faults
from trial_entry.errors import ConflictError, StorageError
from trial_entry.storage.store import open_store

PUT = """
import pathlib, sys
from trial_entry.storage.client import storage_client
from trial_entry.storage.store import open_store
storage_client()
print("begin", flush=True)
open_store(sys.argv[1]).put("big", pathlib.Path(sys.argv[2]))
"""


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, bucket: Any, tmp_path: Path) -> str:
    """Of an empty store."""
    return str(tmp_path / "store") if request.param == "folder" else "gs://drones/models/v1"


def made(folder: Path, content: bytes) -> Path:
    file = folder / "file"
    file.write_bytes(content)
    return file


def test_what_is_put_can_be_read_and_fetched(place: str, tmp_path: Path) -> None:
    store = open_store(place)
    assert (store.place, store.names(), store.read("a/b.txt")) == (place, [], None)
    store.put("a/b.txt", made(tmp_path, b"one"))
    assert store.write_new("manifest.json", b"{}")
    store.put("empty", made(tmp_path, b""))
    assert store.names() == ["a/b.txt", "empty", "manifest.json"]
    assert (store.read("a/b.txt"), store.read("empty"), store.read("none")) == (b"one", b"", None)
    store.fetch("a/b.txt", tmp_path / "new" / "copy")
    assert (tmp_path / "new" / "copy").read_bytes() == b"one"
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["copy"]


def test_what_is_there_is_never_changed(place: str, tmp_path: Path) -> None:
    store = open_store(place)
    store.put("a", made(tmp_path, b"one"))
    store.put("a", made(tmp_path, b"one"))  # the same again
    with pytest.raises(ConflictError, match=f"{place}/a: other bytes are there already"):
        store.put("a", made(tmp_path, b"two"))
    assert not store.write_new("a", b"one")
    assert not store.write_new("a", b"two")
    assert store.read("a") == b"one"


def test_one_of_many_makes_a_name(place: str) -> None:
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda word=word: results.append(open_store(place).write_new("one", word)))
        for word in (b"%d" % number for number in range(8))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]


def test_what_is_not_there_or_cannot_be_a_name(place: str, tmp_path: Path) -> None:
    store = open_store(place)
    with pytest.raises(StorageError, match=f"{place}/none: no such"):
        store.fetch("none", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    for name in ("../a", "/a", "a//b", ""):
        with pytest.raises(StorageError, match="no file here can have this name"):
            store.read(name)


def test_a_store_that_cannot_be(bucket: Any, tmp_path: Path) -> None:
    made(tmp_path, b"x")
    with pytest.raises(StorageError, match=f"{tmp_path}/file/.*: Not a directory"):
        open_store(str(tmp_path / "file" / "below")).write_new("a", b"")
    with pytest.raises(StorageError, match="gs://: write gs://BUCKET/PREFIX"):
        open_store("gs://")
    for use in (open_store("gs://nowhere/v1").names, lambda: open_store("gs://nowhere/v1").write_new("a", b"")):
        with pytest.raises(StorageError, match=r"gs://nowhere/v1/?.*: no such bucket; gcloud storage buckets create"):
            use()


def test_killed_while_it_puts(place: str, tmp_path: Path) -> None:
    """At whatever moment: nothing or all is seen, and the same again completes it."""
    content = os.urandom(48 * 1024 * 1024)
    big, store = made(tmp_path, content), open_store(place)
    seen = set()
    for hundredths in (0, 1, 2, 3, 5, 8, 13, 21, 34):
        process = subprocess.Popen([sys.executable, "-c", PUT, place, str(big)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(hundredths / 100)
        process.kill()
        process.communicate()
        found = store.read("big")
        assert found in (None, content)
        seen.add(found is None)
    store.put("big", big)
    assert store.read("big") == content
    assert store.names() == ["big"]
    assert True in seen  # at least one was killed early


def test_an_answer_that_is_lost_is_no_conflict(bucket: Any, faults: Faults, tmp_path: Path) -> None:
    """The object was made, nobody heard of it: the request that is made again finds its own."""
    store = open_store("gs://drones/v1")
    lost = [faults.add(Fault("lose-answer", "POST", f"/upload/storage/v1/b/drones/o?name=v1/{n}")) for n in "ab"]
    any_post = [faults.add(Fault("lose-answer", "POST", "/upload/", times=1))]
    assert store.write_new("a", b"one")
    store.put("b", made(tmp_path, b"two"))
    assert sum(each.happened for each in [*lost, *any_post]) >= 1
    assert (store.read("a"), store.read("b")) == (b"one", b"two")
    assert not store.write_new("a", b"one")
