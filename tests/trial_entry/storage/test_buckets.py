"""Reading from buckets, on a server that speaks Cloud Storage's API; and what a trial makes of it."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.bucket_faults import Faults
from tests.buckets import upload
from tests.conftest import write_config
from tests.trials import run, train_arguments, trial
from trial_entry.errors import DataError
from trial_entry.storage.client import storage_client
from trial_entry.storage.paths import is_file, local_checkpoint, local_file, local_files, local_folder, matching


def files_in(folder: Path) -> list[str]:
    """Names of the copies of single objects."""
    return sorted(file.name for file in (folder / "objects").rglob("*") if file.is_file())


def test_an_object_is_fetched_once_and_anew_when_it_was_replaced(bucket: Any, tmp_path: Path) -> None:
    bucket.blob("a/label_map.pbtxt").upload_from_string("one")
    first = local_file("gs://drones/a/label_map.pbtxt")
    assert (first.name, first.read_text()) == ("label_map.pbtxt", "one")
    first.chmod(0o644)
    first.write_text("ONE")  # a second fetch would put "one" there
    assert local_file("gs://drones/a/label_map.pbtxt").read_text() == "ONE"
    first.write_text("o")  # as a loss of power may leave it
    assert local_file("gs://drones/a/label_map.pbtxt").read_text() == "one"
    bucket.blob("a/label_map.pbtxt").upload_from_string("two")
    assert local_file("gs://drones/a/label_map.pbtxt").read_text() == "two"
    assert files_in(tmp_path / "cache") == ["label_map.pbtxt", "label_map.pbtxt"]


def test_many_at_a_time_fetch_it_once(bucket: Any, faults: Faults) -> None:
    bucket.blob("train.record").upload_from_string(b"x" * 1_000_000)
    threads = [threading.Thread(target=local_file, args=("gs://drones/train.record",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([each for each in faults.requests if "alt=media" in each]) == 1


def test_a_folder_is_what_was_listed(bucket: Any, faults: Faults) -> None:
    """Relative names stay; an object that did not change is not fetched again; nothing else is in the folder."""
    for name in ("d/a.txt", "d/deep/b.txt", "dd/c.txt", "d/"):
        bucket.blob(name).upload_from_string(name)
    first = local_folder("gs://drones/d/")
    assert first.name == "d"
    assert {file.relative_to(first).as_posix(): file.read_text() for file in first.rglob("*") if file.is_file()} == {
        "a.txt": "d/a.txt", "deep/b.txt": "d/deep/b.txt"
    }  # fmt: skip
    assert local_folder("gs://drones/d") == first
    faults.clear()
    bucket.blob("d/a.txt").upload_from_string("new")
    second = local_folder("gs://drones/d")
    assert ((second / "a.txt").read_text(), (second / "deep" / "b.txt").read_text()) == ("new", "d/deep/b.txt")
    assert (first / "a.txt").read_text() == "d/a.txt"
    assert [each for each in faults.requests if "alt=media" in each and "b.txt" in each] == []
    assert local_folder("gs://drones").name == "drones"


@pytest.mark.parametrize("name", ["d/../../../escaped", "d/./a", "d//a", "d/" + "n" * 300])
def test_a_name_that_no_file_can_have(bucket: Any, tmp_path: Path, name: str) -> None:
    bucket.blob(name).upload_from_string("x")
    with pytest.raises(DataError, match=r"gs://drones/d/.*: (no file here can have this name|a part of this name)"):
        local_folder("gs://drones/d")
    assert not list(tmp_path.rglob("escaped"))


def test_an_object_whose_name_is_another_s_folder(bucket: Any) -> None:
    for name in ("d/a", "d/a/b"):
        bucket.blob(name).upload_from_string("x")
    with pytest.raises(DataError, match="one object's name is the folder of another's; rename one"):
        local_folder("gs://drones/d")


def test_many_objects_are_fetched_in_their_order(bucket: Any, tmp_path: Path) -> None:
    here = tmp_path / "here"
    for number in range(20):
        bucket.blob(f"d/{number}").upload_from_string(str(number))
    found = local_files([*(f"gs://drones/d/{number}" for number in range(20)), str(here), "gs://drones/d/3"])
    assert [each.name for each in found] == [*map(str, range(20)), "here", "3"]
    assert [each.read_text() for each in found[:20]] == [*map(str, range(20))]
    assert not os.access(found[0], os.W_OK) or os.getuid() == 0


def test_patterns_and_prefixes(bucket: Any) -> None:
    for name in (
        "d/train-0",
        "d/train-1",
        "d/deep/train-2",
        "d/val-0",
        "ck/ckpt-1.index",
        "ck/ckpt-1.data-00000-of-00001",
    ):
        bucket.blob(name).upload_from_string(name)
    assert matching("gs://drones/d/train-*") == ["gs://drones/d/train-0", "gs://drones/d/train-1"]
    assert is_file("gs://drones/d/val-0")
    assert not is_file("gs://drones/d/val")
    prefix = Path(local_checkpoint("gs://drones/ck/ckpt-1"))
    assert prefix.with_name("ckpt-1.index").read_text() == "ck/ckpt-1.index"
    assert prefix.with_name("ckpt-1.data-00000-of-00001").is_file()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("gs://drones/none", "gs://drones/none: no such object"),
        ("gs://nowhere/x", "gs://nowhere/x: no such bucket"),
        ("gs://drones", "gs://drones: write gs://BUCKET/OBJECT"),
        ("gs://drones/folder/", "write gs://BUCKET/OBJECT"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(bucket: Any, url: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        local_file(url)


def test_a_cache_without_room(bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.blob("a").upload_from_string("a")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BOXTUNE_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"/file: cannot be made: Not a directory; BOXTUNE_CACHE says where"):
        local_file("gs://drones/a")


def test_a_key_s_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/key.json")
    storage_client.cache_clear()
    with pytest.raises(DataError, match=r"GOOGLE_APPLICATION_CREDENTIALS: File /no/key.json was not found"):
        local_file("gs://drones/a")


@pytest.mark.e2e
def test_a_trial_on_a_bucket_is_the_trial_on_a_folder(bucket: Any, data: Path, tmp_path: Path) -> None:
    """The same digests and metrics; the config that stays in MODEL_DIR names the bucket."""
    upload(bucket, data, "data")
    here = tmp_path / "alone"
    here.mkdir()
    text = write_config(data).read_text()
    for name in ("train.record", "validation.record", "label_map.pbtxt"):
        text = text.replace(f'"{name}"', f'"gs://drones/data/{name}"')
    (here / "pipeline.config").write_text(text.replace("/train.record", "/tr*.record"))
    more = ("--set=epochs=1", "--seed=1", "--deterministic")
    remote = run(*train_arguments(here / "pipeline.config", tmp_path / "remote", *more))
    assert remote.code == 0, remote.err
    assert "fetching gs://drones/data/train.record" in remote.err
    local = run(*train_arguments(data / "pipeline.config", tmp_path / "local", *more))
    values = [
        [(name, value) for _, name, value in each.metrics if "per_second" not in name] for each in (local, remote)
    ]
    assert values[0] == values[1]
    ours, theirs = trial(tmp_path / "remote"), trial(tmp_path / "local")
    for key in ("config_digest", "data_digests", "num_train_examples"):
        assert ours[key] == theirs[key]
    assert '"gs://drones/data/train.record"' in (tmp_path / "remote" / "pipeline.config").read_text()
    shutil.rmtree(tmp_path / "remote")
    again = run(*train_arguments(here / "pipeline.config", tmp_path / "remote", *more))
    assert "fetching" not in again.err


def test_a_trial_says_what_is_not_in_the_bucket(bucket: Any, data: Path, tmp_path: Path) -> None:
    path = write_config(data, **{'"train.record"': '"gs://drones/none.record"'})
    ended = run(*train_arguments(path, tmp_path / "model"))
    assert ended.code == 2
    assert ended.reason.endswith("tf_record_input_reader.input_path: gs://drones/none.record: no such object")
