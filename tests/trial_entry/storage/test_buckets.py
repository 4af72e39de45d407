"""Reading from buckets, on a server that speaks Cloud Storage's API; and what a trial makes of it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import NotFound

from tests.buckets import client, serving, upload
from tests.conftest import write_config
from tests.trials import Ended, run, train_arguments, trial
from trial_entry.errors import DataError
from trial_entry.storage import buckets
from trial_entry.storage.paths import is_file, local_checkpoint, local_file, matching


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def bucket(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket `drones`, and an empty cache."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server)
    monkeypatch.setenv("BOXTUNE_CACHE", str(tmp_path / "cache"))
    buckets._client.cache_clear()
    storage = client()
    with suppress(NotFound):
        storage.bucket("drones").delete(force=True)
    return storage.create_bucket("drones")


def files_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.rglob("*") if file.is_file() and file.suffix != ".lock")


def test_an_object_is_fetched_once_and_anew_when_it_was_replaced(bucket: Any, tmp_path: Path) -> None:
    bucket.blob("a/label_map.pbtxt").upload_from_string("one")
    first = local_file("gs://drones/a/label_map.pbtxt")
    assert (first.name, first.read_text()) == ("label_map.pbtxt", "one")
    first.write_text("kept")  # a second fetch would put "one" there
    assert local_file("gs://drones/a/label_map.pbtxt").read_text() == "kept"
    bucket.blob("a/label_map.pbtxt").upload_from_string("two")
    assert local_file("gs://drones/a/label_map.pbtxt").read_text() == "two"
    assert files_in(tmp_path / "cache") == ["label_map.pbtxt", "label_map.pbtxt"]


def test_many_at_a_time_fetch_it_once(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from google.cloud.storage import Blob

    bucket.blob("train.record").upload_from_string(b"x" * 1_000_000)
    downloads = []
    download = Blob.download_to_filename

    def counted(blob: Any, *arguments: Any, **options: Any) -> None:
        downloads.append(blob.name)
        download(blob, *arguments, **options)

    monkeypatch.setattr(Blob, "download_to_filename", counted)
    threads = [threading.Thread(target=local_file, args=("gs://drones/train.record",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert downloads == ["train.record"]


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
        ("gs://nowhere/x", "gs://nowhere/x: no such"),
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
    with pytest.raises(DataError, match=r"gs://drones/a: cannot be copied here: .*; BOXTUNE_CACHE says where to"):
        local_file("gs://drones/a")


def test_a_key_s_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/key.json")
    buckets._client.cache_clear()
    with pytest.raises(DataError, match=r"GOOGLE_APPLICATION_CREDENTIALS: File /no/key.json was not found"):
        local_file("gs://drones/a")


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


def _values(ended: Ended) -> list[tuple[str, float]]:
    return [(name, value) for _, name, value in ended.metrics if "per_second" not in name]


def test_a_trial_says_what_is_not_in_the_bucket(bucket: Any, data: Path, tmp_path: Path) -> None:
    path = write_config(data, **{'"train.record"': '"gs://drones/none.record"'})
    ended = run(*train_arguments(path, tmp_path / "model"))
    assert ended.code == 2
    assert ended.reason.endswith("tf_record_input_reader.input_path: gs://drones/none.record: no such object")
