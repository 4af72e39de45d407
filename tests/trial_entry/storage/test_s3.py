"""Reading s3:// as gs:// is read, on a server that speaks S3; and what goes wrong there, one line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bucket_faults import Fault, Faults
from trial_entry.errors import DataError, StorageError
from trial_entry.storage import objects, s3_client, s3_objects
from trial_entry.storage.paths import is_file, local_checkpoint, local_file, local_folder, matching
from trial_entry.storage.store import open_store


def put(client: Any, name: str, content: bytes = b"x") -> None:
    client.put_object(Bucket="drones", Key=name, Body=content)


def test_an_object_is_fetched_once_and_anew_when_it_was_replaced(s3_bucket: Any, s3_faults: Faults) -> None:
    put(s3_bucket, "a/label_map.pbtxt", b"one")
    first = local_file("s3://drones/a/label_map.pbtxt")
    assert (first.name, first.read_text()) == ("label_map.pbtxt", "one")
    assert local_file("minio://drones/a/label_map.pbtxt") == first
    assert sum(each.startswith("GET /drones/a") for each in s3_faults.requests) == 1
    put(s3_bucket, "a/label_map.pbtxt", b"two")
    assert local_file("s3://drones/a/label_map.pbtxt").read_text() == "two"


def test_files_patterns_folders_and_checkpoints(s3_bucket: Any) -> None:
    names = ("d/a-0.record", "d/a-1.record", "d/deep/b.txt", "dd/c.txt", "d/", "d/ckpt-3.index", "d/ckpt-3.data-0")
    for name in names:
        put(s3_bucket, name, name.encode())
    assert is_file("s3://drones/d/a-0.record")
    assert not is_file("s3://drones/d/a")
    assert matching("s3://drones/d/a-?.record") == ["s3://drones/d/a-0.record", "s3://drones/d/a-1.record"]
    folder = local_folder("s3://drones/d/")
    assert folder.name == "d"
    assert sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()) == [
        "a-0.record", "a-1.record", "ckpt-3.data-0", "ckpt-3.index", "deep/b.txt",
    ]  # fmt: skip
    assert (folder / "deep" / "b.txt").read_text() == "d/deep/b.txt"
    assert Path(f"{local_checkpoint('s3://drones/d/ckpt-3')}.index").read_text() == "d/ckpt-3.index"


def test_more_objects_than_a_page_has(s3_bucket: Any) -> None:
    for number in range(1003):
        put(s3_bucket, f"many/{number:04}", b"")
    assert [each.file_name for each in objects.list_below("s3://drones/many")] == [f"{n:04}" for n in range(1003)]


def test_it_is_written_nowhere_but_by_folders(s3_bucket: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    store = open_store("s3://drones/models")
    for write in (
        lambda: store.put("a", file),
        lambda: store.write_new("a", b"x"),
        lambda: objects.upload("s3://drones/a", file, objects.NEW),
    ):
        with pytest.raises(StorageError, match=r"s3://drones/.*: s3:// is read here, not written; give gs://"):
            write()
    assert "Contents" not in s3_bucket.list_objects_v2(Bucket="drones")


@pytest.mark.parametrize("kind", ["status", "cut-answer", "cut-request"])
def test_what_passes_is_tried_again(s3_bucket: Any, s3_faults: Faults, kind: str) -> None:
    content = bytes(range(256)) * 20_000
    put(s3_bucket, "big", content)
    fault = s3_faults.add(Fault(kind, about="/drones/big", times=2, after=3_000_000))
    assert local_file("s3://drones/big").read_bytes() == content
    assert fault.happened == 2
    if kind == "cut-answer":  # it goes on where it was cut
        assert sum(each.startswith("GET") for each in s3_faults.requests) == 3


def test_a_wrong_byte_is_found(s3_bucket: Any, s3_faults: Faults) -> None:
    put(s3_bucket, "a", b"abc")
    once = s3_faults.add(Fault("corrupt", about="/drones/a", times=1))
    assert local_file("s3://drones/a").read_bytes() == b"abc"
    assert once.happened == 1
    put(s3_bucket, "a", b"abcd")
    s3_faults.add(Fault("corrupt", about="/drones/a", times=2))
    with pytest.raises(StorageError, match="s3://drones/a: arrived twice with a wrong size or checksum"):
        local_file("s3://drones/a")


def test_replaced_between_its_listing_and_its_download(s3_bucket: Any, tmp_path: Path) -> None:
    put(s3_bucket, "a", b"one")
    found = objects.find("s3://drones/a")
    assert found is not None
    put(s3_bucket, "a", b"two")
    with (tmp_path / "a").open("wb") as opened, pytest.raises(StorageError, match="replaced while it was fetched"):
        objects.download(found, opened)


def test_no_such_object_and_no_such_bucket(s3_bucket: Any) -> None:
    with pytest.raises(DataError, match=r"^s3://drones/a: no such object$"):
        local_file("s3://drones/a")
    with pytest.raises(DataError, match=r"^s3://nobodys/a: no such bucket on http://127"):
        local_file("s3://nobodys/a")
    with pytest.raises(DataError, match=r"^s3://nobodys/: no such bucket on http://127"):
        local_folder("s3://nobodys")
    with pytest.raises(DataError, match=r"^s3://a_B!/d: S3's client says: Parameter validation failed: Invalid bucket"):
        local_file("s3://a_B!/d")
    with pytest.raises(DataError, match=r"^s3://drones/d: nothing is there$"):
        local_folder("s3://drones/d")


REFUSALS = {
    "InvalidAccessKeyId": "the credentials are not accepted .*AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the credentials are not accepted",
    "AccessDenied": "forbidden with these credentials .*s3:GetObject and s3:ListBucket",
    "TooStrange": "S3 says: TooStrange",
}


@pytest.mark.parametrize("code", REFUSALS)
def test_refusals_are_one_line(s3_bucket: Any, s3_faults: Faults, code: str) -> None:
    put(s3_bucket, "d/a", b"x")
    s3_faults.add(
        Fault("status", about="list-type=2", status=403, times=99, body=f"<Error><Code>{code}</Code></Error>")
    )
    with pytest.raises(StorageError, match=f"^s3://drones/d/: {REFUSALS[code]}") as raised:
        objects.list_below("s3://drones/d")
    assert "\n" not in str(raised.value)


def test_no_credentials(s3_bucket: Any, s3_faults: Faults, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What everybody may read can be read; else it is said."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    s3_client.s3_client.cache_clear()
    s3_bucket.put_object(Bucket="drones", Key="d/a", Body=b"x", ACL="public-read")
    assert objects.read("s3://drones/d/a") == b"x"
    s3_faults.add(Fault("status", status=403, times=9, body="<Error><Code>AccessDenied</Code></Error>"))
    with pytest.raises(StorageError, match="not for everybody, and there are no credentials"):
        objects.list_below("s3://drones/d")


def test_a_server_that_is_not_there(s3_bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("BOXTUNE_STORAGE_SECONDS", "1")
    s3_client.s3_client.cache_clear()
    with pytest.raises(StorageError, match=r"^s3://drones/a: not served by http://127.0.0.1:9") as raised:
        s3_objects.find("s3://drones/a")
    assert raised.value.passing
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nowhere")
    s3_client.s3_client.cache_clear()
    with pytest.raises(StorageError, match="s3://: Invalid endpoint: nowhere; the variables AWS_"):
        s3_objects.find("s3://drones/a")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    s3_client.s3_client.cache_clear()
    with pytest.raises(StorageError, match=r"s3://: .*nobody.*; the variables AWS_"):
        s3_objects.find("s3://drones/a")
