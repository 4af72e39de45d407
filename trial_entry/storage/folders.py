"""Storage's folders: all that lies below a gs:// or s3:// prefix copied to a folder of this machine, and a folder put
below a prefix. What is the same on both sides already, by its size and checksum, is not sent again.

For what one process writes and later ones read (a run's folder between two starts of a step); who else writes below
the same prefix at the same time is not watched, as `mirror` does.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from trial_entry.errors import StorageError
from trial_entry.storage import objects, s3_objects
from trial_entry.storage.filling import fetch_file, holds
from trial_entry.storage.remote_object import NEW, RemoteObject
from trial_entry.storage.several import several
from trial_entry.storage.snapshot import followed_files, relative_files
from trial_entry.storage.urls import S3, check_relative, prefix_parts, scheme_of

_LOG = logging.getLogger(__name__)
_MEBIBYTE = 1024**2


def download_folder(url: str, folder: Path) -> int:
    """Copy all objects below `url` to `folder`, several at a time; other files there stay. Returns how many there are.

    A file appears whole, by a rename.

    Args:
        url: gs://BUCKET/PREFIX or s3://BUCKET/PREFIX (minio:// is read as s3://); nothing below it is no error.

    Raises:
        StorageError: the bucket cannot be read, an object is no file's name here, or there is no room for it.
    """
    return len(fetch_objects(below(url), folder))


def upload_folder(folder: Path, url: str) -> int:
    """Make what lies below `url` the files of `folder`: changed ones are sent, others that lie there are deleted after.

    Each object is whole or not there; which of them come first is not said: what refers to others goes up by a second
    call. A file that disappears meanwhile is left out, one that grows goes up as it is then.

    Args:
        url: gs://BUCKET/PREFIX or s3://BUCKET/PREFIX (minio:// is read as s3://), with a PREFIX.

    Returns:
        How many files were sent.

    Raises:
        StorageError: the bucket cannot be written, or a file not be read.
    """
    there = _below_prefix(url)
    with _reading(folder):
        names = sorted(relative_files(folder))
        sent = _put_all(folder, names, url, there)
    several(lambda found, _: _delete(found), [found for name, found in there.items() if name not in names])
    return sent


def add_folder(folder: Path, url: str) -> int:
    """Put the files of `folder` below `url`, where nothing else lies; nothing there is ever deleted.

    Links are followed, to folders too. What is there under the same name is replaced where it is not the same, so that
    a call that was cut off goes on, and a folder that has changed goes up again.

    Args:
        url: as of `upload_folder`.

    Returns:
        How many files were sent.

    Raises:
        StorageError: below `url` lies what the folder does not have; the folder is empty; else as `upload_folder`.
    """
    there = _below_prefix(url)
    with _reading(folder):
        names = sorted(followed_files(folder))
        if not names:
            raise StorageError(f"{folder}: no files are in it, so there is nothing to put to {url}")
        other = next((there[name] for name in sorted(there.keys() - set(names))), None)
        if other is not None:
            raise StorageError(
                f"{url}: {other.url} lies there, which {folder} does not have; give a prefix of its own, or delete "
                "what is not wanted there"
            )
        return _put_all(folder, names, url, there)


def _below_prefix(url: str) -> dict[str, RemoteObject]:
    """As `below`, of a URL that is not a whole bucket."""
    _, prefix = prefix_parts(url)
    if not prefix:
        raise StorageError(f"{url}: a folder goes below a prefix; write {url.rstrip('/')}/PREFIX")
    return below(url)


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise StorageError(f"{problem.filename or folder}: cannot be read: {problem.strerror}") from None


def _put_all(folder: Path, names: Sequence[str], url: str, there: Mapping[str, RemoteObject]) -> int:
    return sum(several(lambda name, _: _put(folder / name, f"{url.rstrip('/')}/{name}", there.get(name)), names))


def below(url: str) -> dict[str, RemoteObject]:
    """All objects below a prefix, by their names relative to it.

    Raises:
        StorageError: the bucket cannot be read.
    """
    _, prefix = prefix_parts(url)
    return {each.name.removeprefix(prefix): each for each in objects.list_below(url)}


def listing_digest(found: Mapping[str, RemoteObject]) -> str:
    """SHA-256 of names, sizes and checksums: another one where an object below a prefix is another."""
    lines = (f"{name}\0{each.size}\0{each.crc32c or each.etag}\n" for name, each in sorted(found.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def fetch_objects(wanted: Mapping[str, RemoteObject], folder: Path) -> Sequence[str]:
    """Copy objects to `folder` under relative names; returns these. What is the same there already is not fetched.

    Raises:
        StorageError: as `download_folder`.
    """
    for name, found in wanted.items():
        check_relative(name, found.url)

    def fetch(name: str, given_up: Event) -> str:
        fetch_file(folder / name, wanted[name], given_up)
        return name

    try:
        folder.mkdir(parents=True, exist_ok=True)
        return several(fetch, wanted)
    except OSError as problem:
        raise StorageError(f"{problem.filename or folder}: cannot be written: {problem.strerror}") from None


def _put(file: Path, url: str, there: RemoteObject | None) -> bool:
    """Whether the file was sent."""
    try:
        if there is not None and holds(file, there):
            return False
        _LOG.debug("%s goes up, %.1f MiB", url, file.stat().st_size / _MEBIBYTE)
        if scheme_of(url) == S3:
            s3_objects.put(url, file)
        else:
            objects.upload(url, file, NEW if there is None else there.generation)
    except FileNotFoundError:
        return False
    return True


def _delete(found: RemoteObject) -> None:
    if found.scheme == S3:
        s3_objects.remove(found.url)
    else:
        objects.delete(found)
