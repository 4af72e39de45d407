"""The command `fetch`: copy what lies below a prefix into a folder, whole or not; what fills a trial's volume.

A pod's init container runs it. With a cache that several pods share (a claim), one of them fetches and the others wait
and take its copy. In a folder that was fetched lies FETCHED_FILE, written last: what it holds, files and their sizes; a
file that is not there any more or has another size is fetched again. What an earlier fetch put there and this one does
not have is removed; files of others stay.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FrameType
from uuid import uuid4

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
_BEGUN = f"{FETCHED_FILE}.begun"


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
    """The names of what was fetched there, where it is this and whole; None where it is not."""
    said, sizes = _listed(folder / FETCHED_FILE)
    try:
        is_whole = said == digest and all((folder / name).stat().st_size == size for name, size in sizes.items())
    except OSError:
        return None
    return list(sizes) if is_whole else None


def _listed(file: Path) -> tuple[str, dict[str, int]]:
    """The digest that a list of fetched files has, and their sizes by name; nothing where there is no such list."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return str(found["digest"]), {str(name): int(size) for name, size in found["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "", {}


def _begin(folder: Path, names: Iterable[str]) -> None:
    """Nothing says any more that all is there; what an earlier fetch put there, this one does not, is removed.

    The list of what is put there outlives a fetch that is killed: the next one knows what to remove.
    """
    folder.mkdir(parents=True, exist_ok=True)
    begun, wanted = folder / _BEGUN, set(names)
    before = {*_listed(folder / FETCHED_FILE)[1], *_listed(begun)[1]}
    _write(begun, {"digest": "", "files": dict.fromkeys(sorted(before | wanted), 0)})
    (folder / FETCHED_FILE).unlink(missing_ok=True)
    for name in before - wanted:
        (folder / name).unlink(missing_ok=True)


def _write(file: Path, content: Mapping[str, object]) -> None:
    partial = file.with_name(f".{uuid4().hex}.tmp")
    partial.write_text(json.dumps(content) + "\n", encoding="utf-8")
    partial.replace(file)


def _fill(folder: Path, wanted: Mapping[str, RemoteObject], digest: str, url: str) -> None:
    """Fetch into `folder`, and say so there when all of it is there."""
    if _held(folder, digest) is not None:
        _LOG.info("%s holds %s already", folder, url)
        return
    _begin(folder, wanted)
    fetch_objects(wanted, folder)
    for name in wanted:
        (folder / name).chmod(_READ_ONLY)
    sizes = {name: (folder / name).stat().st_size for name in sorted(wanted)}
    _write(folder / FETCHED_FILE, {"url": url, "digest": digest, "files": sizes})
    (folder / _BEGUN).unlink(missing_ok=True)


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
    names = _held(cached, digest) or ()
    _begin(folder, names)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as scratch:
        for name in [*names, FETCHED_FILE]:
            made = Path(scratch) / "file"
            made.unlink(missing_ok=True)  # a rename onto a link of the same file leaves it there
            try:
                os.link(cached / name, made)
            except OSError:
                shutil.copyfile(cached / name, made)
                made.chmod(_READ_ONLY)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            made.replace(folder / name)
    (folder / _BEGUN).unlink(missing_ok=True)
