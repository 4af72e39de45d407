"""The command `fetch`: copy what lies below a prefix into a folder, whole or not; what fills a trial's volume.

A pod's init container runs it. With a cache that several pods share (a claim), one of them fetches and the others wait
and take its copy. In a folder that was fetched lies FETCHED_FILE, written last: what it holds.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from trial_entry.contract.exit_codes import EXIT_MEASURED
from trial_entry.contract.files import FETCHED_FILE
from trial_entry.contract.requests import FetchRequest
from trial_entry.errors import Stopped, StorageError
from trial_entry.storage.folders import below, fetch_objects, listing_digest
from trial_entry.storage.holding import locked
from trial_entry.storage.remote_object import RemoteObject

_LOG = logging.getLogger(__name__)
_MEBIBYTE = 1024**2
_READ_ONLY = 0o444


def fetch(request: FetchRequest) -> int:
    """Fill the folder; returns the exit code.

    Raises:
        StorageError: the bucket cannot be read, nothing is there, a folder cannot be written, or no room.
        Stopped: SIGTERM.
    """
    signal.signal(signal.SIGTERM, _stop)
    begun = time.monotonic()
    wanted = below(request.source.url)
    if not wanted:
        raise StorageError(f"{request.source}: nothing is there")
    digest = request.digest or listing_digest(wanted)
    try:
        if request.cache is None:
            _fill(request.folder, wanted, digest, request.source.url)
        else:
            _copy(_cached(request.cache, wanted, digest, request.source.url), request.folder, digest)
    except OSError as problem:
        raise StorageError(f"{problem.filename or request.folder}: {problem.strerror}") from None
    size = sum(each.size for each in wanted.values())
    _LOG.info(
        "%s: %d files, %.1f MiB, in %.1f s", request.folder, len(wanted), size / _MEBIBYTE, time.monotonic() - begun
    )
    return EXIT_MEASURED


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped("stopped by SIGTERM before all was fetched")


def _held(folder: Path, digest: str) -> list[str] | None:
    """The names of what was fetched there, where it is this; None where it is not."""
    try:
        found = json.loads((folder / FETCHED_FILE).read_text(encoding="utf-8"))
        return list(found["files"]) if found["digest"] == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _fill(folder: Path, wanted: Mapping[str, RemoteObject], digest: str, url: str) -> None:
    """Fetch into `folder`, and say so there when all of it is there."""
    if _held(folder, digest) is not None:
        _LOG.info("%s holds %s already", folder, url)
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FETCHED_FILE).unlink(missing_ok=True)
    fetch_objects(wanted, folder)
    for name in wanted:
        (folder / name).chmod(_READ_ONLY)
    partial = folder / f"{FETCHED_FILE}.tmp"
    partial.write_text(json.dumps({"url": url, "digest": digest, "files": sorted(wanted)}) + "\n", encoding="utf-8")
    partial.replace(folder / FETCHED_FILE)


def _cached(cache: Path, wanted: Mapping[str, RemoteObject], digest: str, url: str) -> Path:
    """The folder of the cache that holds this; whoever comes first fills it, under a lock that ends with it."""
    folder = cache / digest
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / f"{digest}.lock"):
        _fill(folder, wanted, digest, url)
    return folder


def _copy(cached: Path, folder: Path, digest: str) -> None:
    """Links where both are on one disk, else copies; what says that all is there comes last."""
    if _held(folder, digest) is not None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as scratch:
        for name in [*(_held(cached, digest) or ()), FETCHED_FILE]:
            made = Path(scratch) / "file"
            try:
                os.link(cached / name, made)
            except OSError:
                shutil.copyfile(cached / name, made)
                made.chmod(_READ_ONLY)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            made.replace(folder / name)
