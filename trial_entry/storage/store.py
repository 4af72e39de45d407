"""Storage's stores: a folder of this machine or a gs:// prefix to keep files in that are never changed again.

A file appears whole or not at all, and whatever is there already stays: the same bytes again are no matter, others are
refused. What is made last (`write_new`) can so be what tells a reader that the rest is complete.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from trial_entry.errors import ConflictError, StorageError
from trial_entry.storage import objects
from trial_entry.storage.checksums import crc32c_of_file
from trial_entry.storage.paths import local_folder
from trial_entry.storage.urls import check_relative, is_remote, prefix_parts

__all__ = ["BucketStore", "FolderStore", "Store", "local_folder", "open_store"]

_PART = ".part"  # of a file that is being written: .NAME.….part
_MODE = 0o644
_ASKED_FIRST = 8 * 1024 * 1024  # bytes; what is smaller is sent in one request, which is refused as quickly as asked
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)  # a file system without hard links


class Store(Protocol):
    """Where files are kept by relative names such as `exports/model.tflite`.

    Attributes:
        place: as the user wrote it.
    """

    place: str

    def names(self) -> list[str]:
        """Of all that is there, sorted; none where the place is not there.

        Raises:
            StorageError: it cannot be looked at.
        """

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none.

        Raises:
            StorageError: it cannot be read.
        """

    def put(self, name: str, file: Path) -> None:
        """Keep a copy of `file`; where the same bytes are kept under this name already, nothing is done.

        Raises:
            ConflictError: other bytes are there.
            StorageError: it cannot be written.
        """

    def write_new(self, name: str, content: bytes) -> bool:
        """Keep `content` under a new name; False where the name is taken, whatever it holds.

        Raises:
            StorageError: it cannot be written.
        """

    def fetch(self, name: str, file: Path) -> None:
        """Copy what is kept to `file`, which appears whole, its checksum verified.

        Raises:
            StorageError: there is no such name, it cannot be read, or `file` not be written.
        """


def open_store(place: str) -> Store:
    """The store at `place`: gs://BUCKET/PREFIX or a folder; nothing is looked at or made before it is used.

    Raises:
        StorageError: gs:// without a bucket.
    """
    return BucketStore(place) if is_remote(place) else FolderStore(place)


class FolderStore:
    """A store in a folder of this machine."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._folder = Path(place).expanduser()

    def names(self) -> list[str]:
        """See Store."""
        with self._plainly(self._folder):
            if not self._folder.exists():
                return []
            files = [file for file in self._folder.rglob("*") if file.is_file() and not _is_part(file)]
            return sorted(file.relative_to(self._folder).as_posix() for file in files)

    def read(self, name: str) -> bytes | None:
        """See Store."""
        file = self._file(name)
        with self._plainly(file):
            return file.read_bytes() if file.exists() else None

    def put(self, name: str, file: Path) -> None:
        """See Store."""
        target = self._file(name)
        with self._plainly(target):
            if not target.exists() and self._link(target, partial(shutil.copyfile, file)):
                return
            if file.stat().st_size != target.stat().st_size or crc32c_of_file(file) != crc32c_of_file(target):
                raise _taken(f"{self.place}/{name}")

    def write_new(self, name: str, content: bytes) -> bool:
        """See Store."""
        target = self._file(name)
        with self._plainly(target):
            return not target.exists() and self._link(target, partial(_write, content))

    def fetch(self, name: str, file: Path) -> None:
        """See Store."""
        source = self._file(name)
        with self._plainly(source):
            if not source.is_file():
                raise StorageError(f"{source}: no such file")
            with _appearing(file) as temporary:
                shutil.copyfile(source, temporary)
                if crc32c_of_file(source) != crc32c_of_file(temporary):
                    raise StorageError(f"{source}: its copy {file} is not the same; look at the disks")

    def _file(self, name: str) -> Path:
        check_relative(name, f"{self.place}/{name}")
        return self._folder / name

    def _link(self, target: Path, fill: Callable[[Path], object]) -> bool:
        """Make `target` whole in one step; False where it is there by now."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(target) as temporary:
            fill(temporary)
            _onto_disk(temporary)
            try:
                os.link(temporary, target)
            except FileExistsError:
                return False
            except OSError as problem:
                if problem.errno not in _NO_LINKS:
                    raise
                return _rename_new(temporary, target)
        _onto_disk(target.parent)
        return True

    @contextmanager
    def _plainly(self, file: Path) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise StorageError(f"{problem.filename or file}: {problem.strerror}") from None


class BucketStore:
    """A store below a gs:// prefix."""

    def __init__(self, place: str) -> None:
        prefix_parts(place)
        self.place = place
        self._prefix = place.rstrip("/")

    def names(self) -> list[str]:
        """See Store."""
        _, prefix = prefix_parts(self.place)
        return [each.name.removeprefix(prefix) for each in objects.list_below(self.place)]

    def read(self, name: str) -> bytes | None:
        """See Store."""
        return objects.read(self._url(name))

    def put(self, name: str, file: Path) -> None:
        """See Store."""
        url = self._url(name)
        try:
            size = file.stat().st_size
            found = objects.find(url) if size > _ASKED_FIRST else None  # what is there already is not sent again
            if found is None:
                objects.upload(url, file, objects.NEW)
            elif found.size != size or found.crc32c != crc32c_of_file(file):
                raise _taken(url)
        except ConflictError:
            raise _taken(url) from None
        except OSError as problem:
            raise StorageError(f"{problem.filename or file}: {problem.strerror}") from None

    def write_new(self, name: str, content: bytes) -> bool:
        """See Store."""
        return objects.create(self._url(name), content)

    def fetch(self, name: str, file: Path) -> None:
        """See Store."""
        url = self._url(name)
        found = objects.find(url)
        if found is None:
            raise objects.missing(url)
        try:
            with _appearing(file) as temporary, temporary.open("wb") as opened:
                objects.download(found, opened)
        except OSError as problem:
            raise StorageError(f"{problem.filename or file}: {problem.strerror}") from None

    def _url(self, name: str) -> str:
        check_relative(name, f"{self.place}/{name}")
        return f"{self._prefix}/{name}"


def _taken(where: str) -> ConflictError:
    return ConflictError(f"{where}: other bytes are there already, and what is kept is never changed; take a new place")


def _is_part(file: Path) -> bool:
    return file.name.startswith(".") and file.name.endswith(_PART)


@contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """A file beside `target` that is gone afterwards."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:200]}.", suffix=_PART, dir=target.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        temporary.chmod(_MODE)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _appearing(file: Path) -> Iterator[Path]:
    """A file beside `file` that takes its place when all went well."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with _temporary(file) as temporary:
        yield temporary
        _onto_disk(temporary)
        temporary.replace(file)


def _rename_new(temporary: Path, target: Path) -> bool:
    """Rename to a new name under the folder's lock, where there are no hard links that refuse a taken name."""
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if target.exists():
            return False
        temporary.rename(target)
        os.fsync(folder)
        return True
    finally:
        os.close(folder)


def _write(content: bytes, file: Path) -> None:
    file.write_bytes(content)


def _onto_disk(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
