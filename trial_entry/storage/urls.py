"""Storage's addresses: what a gs:// URL is, and its parts."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trial_entry.errors import StorageError

SCHEME = "gs://"
GLOB = frozenset("*?[")  # what makes a path a pattern
_NAME_BYTES = 255  # of a file on this machine


def is_remote(path: str) -> bool:
    """Whether `path` lies in a bucket rather than in this machine's file system."""
    return path.startswith(SCHEME)


def object_parts(url: str) -> tuple[str, str]:
    """Bucket and name of gs://BUCKET/OBJECT.

    Raises:
        StorageError: it is no such URL.
    """
    bucket, _, name = url.removeprefix(SCHEME).partition("/")
    if not bucket or not name or name.endswith("/"):
        raise StorageError(f"{url}: write gs://BUCKET/OBJECT")
    return bucket, name


def prefix_parts(url: str) -> tuple[str, str]:
    """Bucket of gs://BUCKET/PREFIX, and what the names of all below it begin with: `PREFIX/`, or nothing.

    Raises:
        StorageError: it is no such URL.
    """
    bucket, _, name = url.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise StorageError(f"{url}: write gs://BUCKET/PREFIX")
    name = name.rstrip("/")
    return bucket, f"{name}/" if name else ""


def check_relative(name: str, where: str) -> None:
    """See that `name` can be a file's below a folder of this machine, and lies nowhere else.

    Raises:
        StorageError: it leads out of the folder, or no file can have it; `where` is what is wrong then.
    """
    parts = name.split("/")
    if {"", ".", ".."}.intersection(parts) or "\0" in name or PurePosixPath(name).is_absolute():
        raise StorageError(f"{where}: no file here can have this name; give the object another")
    if any(len(part.encode()) > _NAME_BYTES for part in parts):
        raise StorageError(f"{where}: a part of this name is longer than {_NAME_BYTES} bytes; give it a shorter one")


@dataclass(frozen=True)
class Remote:
    """An object, or all below a prefix, as a user named it; what a Path is on this machine (which loses a slash of it).

    Attributes:
        url: gs://BUCKET/NAME.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def parent(self) -> Remote:
        """The prefix that it lies below."""
        return Remote(self.url.rstrip("/").rpartition("/")[0])

    def __truediv__(self, name: str) -> Remote:
        bucket, prefix = prefix_parts(self.url)
        return Remote(f"{SCHEME}{bucket}/{posixpath.normpath(prefix + name)}")


def place_of(text: str) -> Path | Remote:
    """What a user's text names: a place on this machine, or one in a bucket.

    Raises:
        StorageError: gs:// without a bucket.
    """
    if not is_remote(text):
        return Path(text)
    prefix_parts(text)
    return Remote(text)
