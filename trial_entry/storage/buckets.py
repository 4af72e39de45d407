"""gs:// objects: looked up, matched against patterns, and copied here once.

Credentials are Google's application default ones (a key's file in GOOGLE_APPLICATION_CREDENTIALS, workload identity,
`gcloud auth application-default login`); where there are none, objects that everybody may read can be read.
Copies lie in BOXTUNE_CACHE, by their object's generation: an object that is replaced is copied anew, and trials on one
machine share a copy.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

from trial_entry.errors import DataError

SCHEME = "gs://"
GLOB = frozenset("*?[")  # what makes a path a pattern
_CHECKPOINT_INDEX = ".index"
_MEBIBYTE = 1024 * 1024
_LOG = logging.getLogger(__name__)


def is_remote(path: str) -> bool:
    """Whether `path` lies in a bucket rather than in this machine's file system."""
    return path.startswith(SCHEME)


def exists(url: str) -> bool:
    """Whether there is an object of this name.

    Raises:
        DataError: no rights, no such bucket, no connection, or no gs://BUCKET/OBJECT.
    """
    with _speaking_plainly(url):
        return _blob(url) is not None


def matching(pattern: str) -> list[str]:
    """The objects that match a pattern with `*`, `?` and `[…]`, none of which matches a slash, sorted.

    Raises:
        DataError: as `exists`.
    """
    bucket, name = _parts(pattern)
    parts = PurePosixPath(name).parts
    constant = "".join(f"{part}/" for part in takewhile(lambda part: not GLOB.intersection(part), parts))
    with _speaking_plainly(pattern):
        names = [PurePosixPath(each.name) for each in _client().list_blobs(bucket, prefix=constant)]
    return sorted(f"{SCHEME}{bucket}/{each}" for each in names if len(each.parts) == len(parts) and each.match(name))


def local_copy(url: str) -> Path:
    """The object as a file of this machine, under its own name.

    Raises:
        DataError: as `exists`; there is no such object; no room for it.
    """
    with _speaking_plainly(url):
        blob = _blob(url)
        if blob is None:
            raise DataError(f"{url}: no such object")
        return _fetched(blob, _place(url, blob.generation) / Path(blob.name).name)


def local_checkpoint(prefix: str) -> str:
    """The prefix of a copy of a checkpoint: its index, and its data beside it.

    Raises:
        DataError: as `local_copy`.
    """
    bucket, name = _parts(prefix)
    with _speaking_plainly(prefix):
        index = _blob(prefix + _CHECKPOINT_INDEX)
        if index is None:
            raise DataError(f"{prefix}: no checkpoint has this prefix; its files are PREFIX.index and PREFIX.data-…")
        place = _place(prefix, index.generation)
        for blob in _client().list_blobs(bucket, prefix=f"{name}."):
            _fetched(blob, place / Path(blob.name).name)
        return str(place / Path(name).name)


def _fetched(blob: Any, file: Path) -> Path:
    """The file, downloaded unless it is there; its checksum is verified on the way."""
    if file.exists():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_name(file.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another trial may be at it
        if file.exists():
            return file
        partial = file.with_name(file.name + ".part")
        _LOG.info("fetching gs://%s/%s, %.1f MiB", blob.bucket.name, blob.name, blob.size / _MEBIBYTE)
        blob.download_to_filename(str(partial), if_generation_match=blob.generation, checksum="crc32c")
        partial.replace(file)
    return file


def _place(url: str, generation: int) -> Path:
    home = os.environ.get("BOXTUNE_CACHE") or Path.home() / ".cache" / "boxtune"
    bucket, name = _parts(url)
    return Path(home) / "buckets" / bucket / name / str(generation)


def _parts(url: str) -> tuple[str, str]:
    bucket, _, name = url.removeprefix(SCHEME).partition("/")
    if not bucket or not name or name.endswith("/"):
        raise DataError(f"{url}: write gs://BUCKET/OBJECT")
    return bucket, name


def _blob(url: str) -> Any:
    """The object with what is known of it, or None."""
    bucket, name = _parts(url)
    return _client().bucket(bucket).get_blob(name)


@lru_cache(maxsize=1)
def _client() -> Any:
    try:
        from google.auth.exceptions import DefaultCredentialsError
        from google.cloud.storage import Client
    except ImportError:
        raise DataError(
            "reading gs:// needs the package google-cloud-storage; install it with: pip install 'boxtune[gcs]'"
        ) from None
    if "STORAGE_EMULATOR_HOST" in os.environ:
        return Client.create_anonymous_client()
    try:
        return Client()
    except DefaultCredentialsError as problem:
        if "GOOGLE_APPLICATION_CREDENTIALS" in os.environ:
            raise DataError(f"GOOGLE_APPLICATION_CREDENTIALS: {_first_line(problem)}") from None
        return Client.create_anonymous_client()


@contextmanager
def _speaking_plainly(url: str) -> Iterator[None]:
    """Turn what Google's client raises within into a DataError of one line."""
    _client()  # whose own errors name no object
    from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound, Unauthorized
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except (Unauthorized, Forbidden) as problem:
        raise DataError(
            f"{url}: not readable with these credentials ({_first_line(problem.message)}); a key's file goes into "
            "GOOGLE_APPLICATION_CREDENTIALS, workload identity needs roles/storage.objectViewer"
        ) from None
    except NotFound:
        raise DataError(f"{url}: no such bucket") from None
    except (GoogleAPIError, GoogleAuthError, RequestException) as problem:
        raise DataError(f"{url}: cannot be read: {_first_line(problem)}") from None
    except OSError as problem:
        raise DataError(f"{url}: cannot be copied here: {problem.strerror}; BOXTUNE_CACHE says where to") from None


def _first_line(problem: object) -> str:
    return (str(problem).strip().splitlines() or [""])[0]
