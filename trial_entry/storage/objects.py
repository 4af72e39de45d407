"""Storage's objects: found, listed and read in a gs:// or s3:// bucket; written and deleted in gs:// alone.

An object is whole or not there; a generation (Cloud Storage) or an ETag (S3) never changes its content. Each kind of
bucket has a module with the same functions: `gs_objects`, `s3_objects`. What is written names the generation that it
replaces, which not every S3-like server can be asked for: there whole folders are put alone (`folders`).
"""

from __future__ import annotations

from threading import Event
from typing import IO, Protocol

from trial_entry.errors import StorageError
from trial_entry.storage import gs_objects, s3_objects
from trial_entry.storage.gs_objects import copy, create, delete, upload, write
from trial_entry.storage.remote_object import NEW, RemoteObject
from trial_entry.storage.urls import S3, prefix_parts, scheme_of

__all__ = [
    "NEW", "RemoteObject", "copy", "create", "delete", "download", "find", "list_below", "list_named", "missing",
    "read", "upload", "write",
]  # fmt: skip


class _Kind(Protocol):
    """One kind of bucket: a module."""

    def find(self, url: str) -> RemoteObject | None: ...
    def list_named(self, url: str) -> list[RemoteObject]: ...
    def read(self, url: str) -> bytes | None: ...
    def download(self, found: RemoteObject, opened: IO[bytes], given_up: Event | None = None) -> None: ...


def _kind(scheme: str) -> _Kind:
    return s3_objects if scheme == S3 else gs_objects


def find(url: str) -> RemoteObject | None:
    """The object of this name; None where there is none in the bucket.

    Raises:
        StorageError: no such bucket, no rights, no connection.
    """
    return _kind(scheme_of(url)).find(url)


def list_below(url: str) -> list[RemoteObject]:
    """All objects whose names begin with PREFIX/ of gs://BUCKET/PREFIX or s3://BUCKET/PREFIX, by name, listed once.

    Raises:
        StorageError: as `find`.
    """
    bucket, prefix = prefix_parts(url)
    return list_named(f"{scheme_of(url)}{bucket}/{prefix}")


def list_named(url: str) -> list[RemoteObject]:
    """All objects whose names have the beginning that stands after the bucket, by name; those that stand for folders
    (`a/`) are left out.

    Raises:
        StorageError: as `find`.
    """
    return _kind(scheme_of(url)).list_named(url)


def missing(url: str) -> StorageError:
    """Why there is no such object: it or its bucket."""
    try:
        list_named(url)
    except StorageError as problem:
        return problem
    return StorageError(f"{url}: no such object")


def read(url: str) -> bytes | None:
    """What the object holds; None where there is none.

    Raises:
        StorageError: as `find`; what came is not what was stored.
    """
    return _kind(scheme_of(url)).read(url)


def download(found: RemoteObject, opened: IO[bytes], given_up: Event | None = None) -> None:
    """Write this very object to a file that is open and empty; a wrong checksum is fetched once again.

    Args:
        given_up: ends it when it is set.

    Raises:
        StorageError: as `find`; it was replaced meanwhile; the checksum was wrong twice; it was given up.
        OSError: no room for it.
    """
    _kind(found.scheme).download(found, opened, given_up)
