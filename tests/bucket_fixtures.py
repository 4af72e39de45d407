"""Fixtures: a bucket on this machine, a way to it that goes wrong when told to, and an empty cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import NotFound

from tests.bucket_faults import Faults, going_wrong
from tests.buckets import client, serving
from trial_entry.storage.client import storage_client


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a bucket server."""
    with serving() as address:
        yield address


@pytest.fixture(scope="module")
def proxy(server: str) -> Iterator[Faults]:
    """A way to it."""
    with going_wrong(server) as faults:
        yield faults


@pytest.fixture
def bucket(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket `drones`, and an empty cache."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server)
    monkeypatch.setenv("BOXTUNE_CACHE", str(tmp_path / "cache"))
    storage_client.cache_clear()
    storage = client()
    with suppress(NotFound):
        storage.bucket("drones").delete(force=True)
    return storage.create_bucket("drones")


@pytest.fixture
def faults(bucket: Any, proxy: Faults, monkeypatch: pytest.MonkeyPatch) -> Faults:
    """What goes wrong on the way of whatever is asked from now on; `bucket` itself has a way of its own."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.address)
    monkeypatch.setenv("BOXTUNE_STORAGE_SECONDS", "8")
    storage_client.cache_clear()
    proxy.clear()
    return proxy
