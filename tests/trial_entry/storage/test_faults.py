"""What goes wrong between here and a bucket: tried again where that can help, one line where it cannot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.bucket_faults import Fault, Faults
from trial_entry.errors import StorageError
from trial_entry.storage.objects import NEW, upload, write
from trial_entry.storage.paths import local_file, local_folder
from trial_entry.storage.store import open_store

SIZE = 24 * 1024 * 1024  # above what the client sends in one request


@pytest.fixture
def big(bucket: Any) -> bytes:
    """What the object `big` holds."""
    content = os.urandom(SIZE)
    bucket.blob("big").upload_from_string(content)
    return content


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=429, times=3),
        Fault("status", status=503, times=3),
        Fault("status", about="alt=media", status=500, times=2),
        Fault("cut-answer", about="alt=media", after=SIZE // 2, times=2),
        Fault("cut-answer", about="alt=media", after=0),
        Fault("slow", about="alt=media", after=5),  # more than an answer may take
        Fault("corrupt", about="alt=media"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.after}",
)
def test_a_download_survives(big: bytes, faults: Faults, fault: Fault) -> None:
    faults.add(fault)
    assert local_file("gs://drones/big").read_bytes() == big
    assert fault.times == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", "POST", status=429, times=2),
        Fault("status", "PUT", status=503, times=2),
        Fault("cut-request", "PUT", after=1_000_000),
        Fault("lose-answer", "PUT"),  # the emulator hangs up when such an upload is asked after; the real one answers
        Fault("slow", "PUT", after=5),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.method}-{fault.status}",
)
def test_an_upload_survives(bucket: Any, faults: Faults, tmp_path: Path, fault: Fault) -> None:
    faults.add(fault)
    file = tmp_path / "file"
    file.write_bytes(os.urandom(SIZE))
    stored = upload("gs://drones/up", file, NEW)
    assert fault.times == 0
    found = bucket.get_blob("up")
    assert (found.generation, found.download_as_bytes()) == (stored.generation, file.read_bytes())


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault("status", status=401, times=99), r"gs://drones/big: the credentials are not accepted .*log in again"),
        (
            Fault("status", status=403, times=99),
            r"gs://drones/big: forbidden .*\(403 no access to the object\); reading",
        ),
        (Fault("status", status=503, times=99), r"gs://drones/big: not served .* within 8 s: 503 backend error"),
        (Fault("corrupt", about="alt=media", times=2), "gs://drones/big: arrived twice with a wrong checksum"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_what_lasts_is_said_in_a_line(big: bytes, faults: Faults, tmp_path: Path, fault: Fault, says: str) -> None:
    faults.add(fault)
    with pytest.raises(StorageError, match=says) as error:
        local_file("gs://drones/big")
    assert "\n" not in str(error.value)
    assert error.value.passing == (fault.status == 503 and fault.kind == "status")
    assert not list((tmp_path / "cache" / "objects").rglob("*"))
    assert not list((tmp_path / "cache" / "partial").rglob("*"))


def test_nobody_listens(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from trial_entry.storage.client import storage_client

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("BOXTUNE_STORAGE_SECONDS", "2")
    storage_client.cache_clear()
    with pytest.raises(StorageError, match=r"gs://drones/a: not served by Cloud Storage within 2 s: .*refused"):
        local_file("gs://drones/a")


def test_a_wrong_patience(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXTUNE_STORAGE_SECONDS", "soon")
    with pytest.raises(StorageError, match="BOXTUNE_STORAGE_SECONDS=soon: must be a number of seconds above 0"):
        local_file("gs://drones/a")


def test_replaced_while_it_is_fetched(big: bytes, bucket: Any, faults: Faults) -> None:
    """A file is of one generation: what came before a cut and after it is never mixed."""
    faults.add(Fault("cut-answer", about="alt=media", after=SIZE // 2))
    replaced = faults.add(Fault("status", about="alt=media", status=404, times=1))
    with pytest.raises(StorageError, match="replaced or deleted while it was fetched; try again"):
        local_file("gs://drones/big")
    assert replaced.happened == 1


def test_a_folder_through_a_bad_line(bucket: Any, faults: Faults) -> None:
    for number in range(20):
        bucket.blob(f"d/{number}").upload_from_string(str(number))
    faults.add(Fault("status", about="alt=media", status=503, times=5))
    faults.add(Fault("status", about="prefix=d/", status=429))
    assert len(list(local_folder("gs://drones/d").iterdir())) == 20


def test_a_store_through_a_bad_line(bucket: Any, faults: Faults, tmp_path: Path) -> None:
    store = open_store("gs://drones/v1")
    faults.add(Fault("status", "POST", status=503))
    faults.add(Fault("corrupt", about="alt=media"))
    assert store.write_new("a", b"one")
    store.fetch("a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == store.read("a") == b"one"
    with pytest.raises(StorageError, match=r"written by somebody else"):
        write("gs://drones/v1/a", b"other", NEW)
