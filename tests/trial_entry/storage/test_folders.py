"""Folders that go up and come down, by gs:// and by s3://."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.bucket_faults import Fault, Faults
from trial_entry.errors import StorageError
from trial_entry.storage import objects
from trial_entry.storage.folders import add_folder, below, download_folder, listing_digest, upload_folder
from trial_entry.storage.snapshot import relative_files


@pytest.fixture(params=["gs", "s3"])
def place(request: pytest.FixtureRequest) -> str:
    """A prefix of an empty bucket of either kind."""
    request.getfixturevalue("bucket" if request.param == "gs" else "s3_bucket")
    return f"{request.param}://drones/runs/7"


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def filled(folder: Path) -> dict[str, bytes]:
    made = {"journal.jsonl": b"{}\n", "trials/a/log": b"one", "trials/b/log": b"one", "trials/b/empty": b"",
            "big": os.urandom(20 * 2**20)}  # fmt: skip
    for name, content in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return made


def test_up_and_down_again(place: str, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    made = filled(here)
    assert upload_folder(here, place) == 5
    assert download_folder(f"{place}/", there) == 5
    assert contents(there) == made
    first, digest = (there / "big").stat(), listing_digest(below(place))
    assert download_folder(place, there) == 5
    assert (there / "big").stat() == first  # was not fetched again, whatever its size and the parts it went up in
    assert upload_folder(here, place) == 0
    assert listing_digest(below(place)) == digest

    (here / "journal.jsonl").write_text("{}\n{}\n")
    (here / "trials" / "a" / "log").unlink()
    assert upload_folder(here, place) == 1
    assert sorted(below(place)) == ["big", "journal.jsonl", "trials/b/empty", "trials/b/log"]
    assert listing_digest(below(place)) != digest
    (there / "own").write_text("mine")
    assert download_folder(place, there) == 4
    assert contents(there)["journal.jsonl"] == b"{}\n{}\n"
    assert contents(there)["own"] == b"mine"


def test_nothing_there_and_what_is_beside_it(place: str, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "a").write_text("a")
    upload_folder(beside, f"{place}7")
    assert download_folder(place, tmp_path / "there") == 0
    upload_folder(tmp_path / "there", place)
    assert sorted(below(f"{place}7")) == ["a"]


def test_a_whole_bucket_is_no_folder(place: str, tmp_path: Path) -> None:
    scheme = place.partition(":")[0]
    with pytest.raises(StorageError, match=rf"^{scheme}://drones/: a folder goes below a prefix; write"):
        upload_folder(tmp_path, f"{scheme}://drones/")


def test_names_that_no_file_has(s3_bucket: Any, tmp_path: Path) -> None:
    s3_bucket.put_object(Bucket="drones", Key="d/../../passwd", Body=b"x")
    with pytest.raises(StorageError, match="no file here can have this name"):
        download_folder("s3://drones/d", tmp_path / "d")
    assert not (tmp_path / "passwd").exists()


def test_a_folder_in_the_way_of_a_file(place: str, tmp_path: Path) -> None:
    filled(tmp_path / "here")
    upload_folder(tmp_path / "here", place)
    there = tmp_path / "there"
    there.mkdir()
    (there / "big").mkdir()
    with pytest.raises(StorageError, match=f"^{there}/.*: cannot be written: "):
        download_folder(place, there)


def test_what_goes_wrong_on_the_way_up(
    s3_bucket: Any, s3_faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    made = filled(here)
    for kind in ("status", "cut-request", "lose-answer"):
        s3_faults.add(Fault(kind, method="PUT", about="/runs/7/", after=1000))
    upload_folder(here, "s3://drones/runs/7")
    assert download_folder("s3://drones/runs/7", tmp_path / "there") == 5
    assert contents(tmp_path / "there") == made
    (here / "new").write_text("new")
    body = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    s3_faults.add(Fault("status", method="PUT", status=403, times=9, body=body))
    with pytest.raises(StorageError, match=r"^s3://drones/runs/7/new: forbidden .*AccessDenied no.*s3:PutObject"):
        upload_folder(here, "s3://drones/runs/7")


def test_files_that_disappear_meanwhile(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    filled(here)
    monkeypatch.setattr("trial_entry.storage.folders.relative_files", lambda folder: [*relative_files(folder), "gone"])
    assert upload_folder(here, place) == 5


def test_a_folder_is_added_and_nothing_deleted(place: str, tmp_path: Path) -> None:
    here, beside = tmp_path / "here", tmp_path / "beside"
    made = filled(here)
    beside.mkdir()
    (beside / "train.record").write_bytes(b"records")
    (here / "linked").symlink_to(beside, target_is_directory=True)
    (here / "trials" / "up").symlink_to(here, target_is_directory=True)  # a loop
    (here / "one").symlink_to(beside / "train.record")
    assert add_folder(here, place) == 7
    assert download_folder(place, tmp_path / "there") == 7
    assert contents(tmp_path / "there") == {**made, "linked/train.record": b"records", "one": b"records"}
    (here / "big").write_bytes(b"other")
    assert add_folder(here, f"{place}/") == 1
    (here / "one").unlink()
    (here / "big").write_bytes(b"another")
    with pytest.raises(StorageError, match=rf"{place}: {place}/one lies there, which .*here does not have; give a "):
        add_folder(here, place)
    (tmp_path / "empty" / "folder").mkdir(parents=True)
    with pytest.raises(StorageError, match="empty: no files are in it, so there is nothing to put to"):
        add_folder(tmp_path / "empty", place)
    assert len(below(place)) == 7
    assert objects.read(f"{place}/big") == b"other"  # a refused folder changes nothing
