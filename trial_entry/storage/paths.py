"""Paths of this machine and gs:// URLs, asked the same things."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from trial_entry.errors import DataError
from trial_entry.storage import buckets
from trial_entry.storage.urls import GLOB, Remote, is_remote


def is_pattern(path: str) -> bool:
    """Whether `path` may stand for several files."""
    return bool(GLOB.intersection(path))


def is_file(path: str) -> bool:
    """Whether there is such a file or object.

    Raises:
        DataError: this user may not look, or a bucket cannot be read.
    """
    if is_remote(path):
        return buckets.exists(path)
    try:
        return Path(path).is_file()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror} (as user {os.getuid()})") from None


def matching(pattern: str) -> list[str]:
    """The files or objects that match an absolute pattern, sorted.

    Raises:
        DataError: a bucket cannot be read.
    """
    if is_remote(pattern):
        return buckets.matching(pattern)
    return sorted(glob.glob(pattern))  # noqa: PTH207 (folders of the pattern may be patterns too)


def local_file(path: str) -> Path:
    """The file itself, or a copy of the object.

    Raises:
        DataError: a bucket cannot be read, or an object is not there.
    """
    return local_files([path])[0]


def local_files(paths: Sequence[str]) -> list[Path]:
    """`local_file` of each, in order; several objects are fetched at a time.

    Raises:
        DataError: as `local_file`.
    """
    remote = [path for path in paths if is_remote(path)]
    copies = dict(zip(remote, buckets.local_copies(remote) if remote else [], strict=True))
    return [copies[path] if path in copies else Path(path) for path in paths]


def local_folder(place: str) -> Path:
    """The folder itself, or a copy of everything below gs://BUCKET/PREFIX.

    Raises:
        DataError: a bucket cannot be read, or nothing is there.
    """
    return buckets.local_folder(place) if is_remote(place) else Path(place)


def local_folders(places: Sequence[Path | Remote]) -> list[Path]:
    """`local_folder` of each, in order.

    Raises:
        DataError: as `local_folder`.
    """
    return [place if isinstance(place, Path) else buckets.local_folder(place.url) for place in places]


def local_checkpoint(prefix: str) -> str:
    """The prefix of a checkpoint on this machine: itself, or that of a copy.

    Raises:
        DataError: as `local_file`.
    """
    return buckets.local_checkpoint(prefix) if is_remote(prefix) else prefix
