"""Fixtures: an S3 bucket on this machine, a way to it that goes wrong when told to, and an empty cache."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bucket_faults import Faults, going_wrong
from tests.s3_server import client, serving
from trial_entry.storage.s3_client import s3_client


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """The address of an S3 server."""
    with serving() as address:
        yield address


@pytest.fixture(scope="module")
def s3_proxy(s3_server: str) -> Iterator[Faults]:
    """A way to it."""
    with going_wrong(s3_server) as faults:
        yield faults


@pytest.fixture
def s3_bucket(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of the server with an empty bucket `drones`; an empty cache."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "minio", "AWS_SECRET_ACCESS_KEY": "minio123", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_server, "AWS_EC2_METADATA_DISABLED": "true",
        "BOXTUNE_CACHE": str(tmp_path / "cache"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    s3_client.cache_clear()
    urllib.request.urlopen(urllib.request.Request(f"{s3_server}/moto-api/reset", method="POST"))
    made = client(s3_server)
    made.create_bucket(Bucket="drones")
    yield made
    s3_client.cache_clear()


@pytest.fixture
def s3_faults(s3_bucket: Any, s3_proxy: Faults, monkeypatch: pytest.MonkeyPatch) -> Faults:
    """What goes wrong on the way of whatever is asked from now on; `s3_bucket` itself has a way of its own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_proxy.address)
    monkeypatch.setenv("BOXTUNE_STORAGE_SECONDS", "8")
    s3_client.cache_clear()
    s3_proxy.clear()
    return s3_proxy
