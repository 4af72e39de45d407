"""Storage's gs:// objects: found, listed, read, written and deleted by Google's client, each by its generation.

`trial_entry.storage.objects` is what others ask. Whoever writes says which generation is to be replaced (0 for none),
so that nothing that somebody else wrote meanwhile is lost.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import IO, Any
from uuid import uuid4

from trial_entry.errors import ConflictError, StorageError
from trial_entry.storage.checksums import CheckedWriter, crc32c_of_bytes, crc32c_of_file
from trial_entry.storage.client import Patience, speaking_plainly, storage_client
from trial_entry.storage.remote_object import NEW, RemoteObject
from trial_entry.storage.urls import GS, object_parts, parts, refuse_writing

_GZIP = "gzip"
_MARK = "boxtune-write"


def find(url: str) -> RemoteObject | None:
    """See `trial_entry.storage.objects.find`."""
    bucket, name = object_parts(url)
    with speaking_plainly(url):
        found = storage_client().bucket(bucket).get_blob(name, **Patience.from_environment().options())
        return _object(found) if found is not None else None


def list_named(url: str) -> list[RemoteObject]:
    """See `trial_entry.storage.objects.list_named`."""
    bucket, beginning = parts(url)
    with speaking_plainly(url):
        found = storage_client().list_blobs(bucket, prefix=beginning, **Patience.from_environment().options())
        return sorted((_object(each) for each in found if not each.name.endswith("/")), key=lambda each: each.name)


def read(url: str) -> bytes | None:
    """See `trial_entry.storage.objects.read`."""
    from google.api_core.exceptions import NotFound
    from google.cloud.storage.exceptions import DataCorruption

    bucket, name = object_parts(url)
    blob = storage_client().bucket(bucket).blob(name)
    with speaking_plainly(url):
        for _ in range(2):
            try:
                return bytes(blob.download_as_bytes(checksum="crc32c", **Patience.from_environment().options()))
            except NotFound:
                return None
            except DataCorruption:
                continue
    raise _corrupt(url)


def download(found: RemoteObject, opened: IO[bytes], given_up: Event | None = None) -> None:
    """See `trial_entry.storage.objects.download`."""
    from google.api_core.exceptions import NotFound
    from google.cloud.storage.exceptions import DataCorruption

    blob = storage_client().bucket(found.bucket).blob(found.name, generation=found.generation)
    with speaking_plainly(found.url):
        for _ in range(2):
            opened.seek(0)
            writer = CheckedWriter(opened, given_up)
            options = Patience.from_environment().options()
            try:
                if found.packed:  # unpacked on its way; the library looks at what is stored
                    blob.download_to_file(opened, checksum="crc32c", **options)
                else:  # the library checks no download that it took up again
                    blob.download_to_file(writer, checksum=None, **options)
            except NotFound:
                raise StorageError(f"{found.url}: replaced or deleted while it was fetched; try again") from None
            except DataCorruption:
                continue
            opened.truncate()
            if found.packed or writer.crc32c == found.crc32c:
                return
    raise _corrupt(found.url)


def upload(url: str, file: Path, replacing: int, size: int | None = None) -> RemoteObject:
    """Store a file, or its first `size` bytes, where the object has the generation `replacing`; returns what is there.

    An object that holds the same bytes already is as good: an answer may have been lost on its way.

    Raises:
        ConflictError: the object is another.
        StorageError: as `find`.
        OSError: the file cannot be read.
    """
    with file.open("rb") as opened:
        length = os.fstat(opened.fileno()).st_size if size is None else size
        try:
            return _store(url, opened, length, replacing)
        except StorageError as problem:
            if not (problem.passing or isinstance(problem, ConflictError)):
                raise
            found = find(url)
            if found is None or found.size != length or found.crc32c != crc32c_of_file(file, length):
                raise
            return found


def write(url: str, content: bytes, replacing: int) -> RemoteObject:
    """`upload`, for what is in memory.

    Raises:
        ConflictError, StorageError: as `upload`.
    """
    try:
        return _store(url, io.BytesIO(content), len(content), replacing)
    except StorageError as problem:
        if not (problem.passing or isinstance(problem, ConflictError)):
            raise
        found = find(url)
        if found is None or found.size != len(content) or found.crc32c != crc32c_of_bytes(content):
            raise
        return found


def create(url: str, content: bytes) -> bool:
    """Store `content` where there is no such object; False where there is one, whatever it holds.

    Raises:
        StorageError: as `find`.
    """
    mark = {_MARK: uuid4().hex}  # by which an answer that was lost on its way is told from somebody else's object
    try:
        _store(url, io.BytesIO(content), len(content), NEW, mark)
    except ConflictError:
        bucket, name = object_parts(url)
        with speaking_plainly(url):
            found = storage_client().bucket(bucket).get_blob(name, **Patience.from_environment().options())
        return found is not None and (found.metadata or {}).get(_MARK) == mark[_MARK]
    return True


def copy(found: RemoteObject, url: str, replacing: int) -> RemoteObject:
    """Store the same bytes under another name, without sending them again; as `upload`.

    Raises:
        ConflictError, StorageError: as `upload`.
    """
    refuse_writing(url)
    bucket, name = object_parts(url)
    client = storage_client()
    source, target = client.bucket(found.bucket), client.bucket(bucket)
    options = {**Patience.from_environment().options(), "if_generation_match": replacing}
    with speaking_plainly(url):
        try:
            with _conflicts(url):
                made = source.copy_blob(
                    source.blob(found.name), target, name, source_generation=found.generation, **options
                )
            return _object(made)
        except ConflictError:
            there = find(url)
            if there is None or (there.size, there.crc32c) != (found.size, found.crc32c):
                raise
            return there


def delete(found: RemoteObject) -> None:
    """Delete this very generation; what is gone already, or was replaced, stays as it is.

    Raises:
        StorageError: as `find`.
    """
    from google.api_core.exceptions import NotFound, PreconditionFailed

    blob = storage_client().bucket(found.bucket).blob(found.name)
    with speaking_plainly(found.url):
        try:
            blob.delete(if_generation_match=found.generation, **Patience.from_environment().options())
        except (NotFound, PreconditionFailed):
            return


def _store(
    url: str, opened: IO[bytes], size: int, replacing: int, metadata: Mapping[str, str] | None = None
) -> RemoteObject:
    from google.cloud.storage.exceptions import DataCorruption

    refuse_writing(url)
    bucket, name = object_parts(url)
    blob = storage_client().bucket(bucket).blob(name)
    with speaking_plainly(url), _conflicts(url):
        options = Patience.from_environment().options()
        blob.metadata = metadata
        try:
            blob.upload_from_file(opened, size=size, if_generation_match=replacing, checksum="crc32c", **options)
        except DataCorruption:
            raise StorageError(f"{url}: what arrived there is not what was sent; try again", passing=True) from None
        return _object(blob)


@contextmanager
def _conflicts(url: str) -> Iterator[None]:
    """A precondition that does not hold is a conflict."""
    from google.api_core.exceptions import PreconditionFailed

    try:
        yield
    except PreconditionFailed:
        raise ConflictError(f"{url}: written by somebody else meanwhile") from None


def _corrupt(url: str) -> StorageError:
    return StorageError(f"{url}: arrived twice with a wrong checksum; look at what lies between here and the bucket")


def _object(blob: Any) -> RemoteObject:
    return RemoteObject(
        GS,
        blob.bucket.name,
        blob.name,
        int(blob.generation),
        int(blob.size),
        blob.crc32c or "",
        blob.updated,
        blob.content_encoding == _GZIP,
    )
