"""Storage's filling: a folder of this machine is made to hold some objects under relative names, and nothing else."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from threading import Event
from uuid import uuid4

from trial_entry.errors import StorageError
from trial_entry.storage.checksums import crc32c_of_file, has_etag
from trial_entry.storage.objects import RemoteObject, download
from trial_entry.storage.several import several
from trial_entry.storage.snapshot import Identity, identity_of, relative_files
from trial_entry.storage.urls import check_relative

_LOG = logging.getLogger(__name__)
_MEBIBYTE = 1024**2


def fill_folder(folder: Path, wanted: Mapping[str, RemoteObject], kept: Collection[str]) -> dict[str, Identity]:
    """Make `folder` hold the objects of `wanted`; a file that is the same already is not fetched again.

    Objects with the same bytes are fetched once, and become links.

    Args:
        kept: names of files that stay besides.

    Returns:
        What identifies each file as it is now.

    Raises:
        StorageError: an object cannot be fetched; there is no room for it here.
    """
    for name, found in wanted.items():
        check_relative(name, found.url)
    first = {each.content: name for name, each in wanted.items()}
    try:
        empty_folder(folder, {*wanted, *kept})
        several(lambda name, given_up: fetch_file(folder / name, wanted[name], given_up), first.values())
        for name, found in wanted.items():
            file = folder / name
            if name != first[found.content] and not holds(file, found):
                file.unlink(missing_ok=True)
                file.parent.mkdir(parents=True, exist_ok=True)
                os.link(folder / first[found.content], file)
        return {name: identity_of(folder / name) for name in wanted}
    except OSError as problem:
        where = problem.filename or folder
        raise StorageError(f"{where}: cannot be written: {problem.strerror}; BOXTUNE_CACHE says where to") from None


def empty_folder(folder: Path, kept: Collection[str]) -> None:
    """Remove every file below `folder` but those whose relative names are `kept`, and every folder that is empty then.

    Raises:
        OSError: one cannot be removed.
    """
    for name in relative_files(folder):
        if name not in kept:
            (folder / name).unlink()
    for below in sorted((each for each in folder.rglob("*") if each.is_dir()), reverse=True):
        if not any(below.iterdir()):
            below.rmdir()


def fetch_file(file: Path, found: RemoteObject, given_up: Event) -> None:
    """Make `file` hold an object, whole or as it was before, whoever else makes it at the same time.

    Raises:
        StorageError: the object cannot be fetched.
        OSError: the file cannot be written.
    """
    if holds(file, found):
        return
    _LOG.info("fetching %s, %.1f MiB", found.url, found.size / _MEBIBYTE)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{uuid4().hex}.tmp")
    try:
        with partial.open("wb") as opened:
            download(found, opened, given_up)
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def holds(file: Path, found: RemoteObject) -> bool:
    """Whether a file is known to be the same as an object.

    Raises:
        OSError: the file cannot be read.
    """
    if not file.is_file() or file.stat().st_size != found.size:
        return False
    return has_etag(file, found.etag) if found.etag else crc32c_of_file(file) == found.crc32c
