"""Storage's cache: copies of objects on this machine, each fetched once and shared by all processes.

BOXTUNE_CACHE (~/.cache/boxtune) holds at most BOXTUNE_CACHE_GIB (100):
    objects/KEY/NAME   one generation (or ETag) of one object; KEY is a digest of both: a replaced one is another entry
    trees/KEY/…        what was below a prefix when it was listed, under its relative names, as hard links
    partial/           what is being fetched; an entry appears whole, by a rename
    holders/           who uses what (`trial_entry.storage.holding`)
    model_dirs/        what a trial with --model_dir=gs://… works in while it runs; not counted
    locks/             one fetches, whoever wants the same waits; a lock ends with its process
What was not used for longest goes first when room is needed, and never what a running process uses.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Event
from uuid import uuid4

from trial_entry.errors import StorageError
from trial_entry.storage.holding import held_in, holder_of, locked
from trial_entry.storage.naming import stand_ins
from trial_entry.storage.objects import RemoteObject, download
from trial_entry.storage.several import several
from trial_entry.storage.urls import GS, Remote, check_relative

_LOG = logging.getLogger(__name__)
_HOME, _LIMIT = "BOXTUNE_CACHE", "BOXTUNE_CACHE_GIB"
_DEFAULT_GIB = 100.0
_GIBIBYTE, _MEBIBYTE = 1024**3, 1024**2
_LOCKS = 256
_KEY_LETTERS = 32
_NAME_LETTERS = 80
_READ_ONLY = 0o444


@dataclass(frozen=True)
class Cache:
    """The copies of this machine.

    Attributes:
        home: its folder.
        limit: bytes that it may hold.
    """

    home: Path
    limit: int

    @classmethod
    def from_environment(cls) -> Cache:
        """Raises StorageError where BOXTUNE_CACHE_GIB is no positive number, or the folder cannot be made."""
        home = Path(os.environ.get(_HOME) or Path.home() / ".cache" / "boxtune").absolute()
        text = os.environ.get(_LIMIT) or str(_DEFAULT_GIB)
        try:
            limit = int(float(text) * _GIBIBYTE)
        except (ValueError, OverflowError):
            limit = 0
        if limit <= 0:
            raise StorageError(f"{_LIMIT}={text}: must be a number of GiB above 0")
        cache = cls(home, limit)
        try:
            for folder in ("objects", "trees", "partial", "holders", "locks"):
                (home / folder).mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise StorageError(f"{home}: cannot be made: {problem.strerror}; {_HOME} says where copies go") from None
        return cache

    def copies(self, objects: Sequence[RemoteObject]) -> list[Path]:
        """A file of each object, under its own name; what is not here yet is fetched, several at a time.

        This process holds them from now on.

        Raises:
            StorageError: an object cannot be fetched; there is no room for it here.
        """
        for found in objects:
            check_relative(found.file_name, found.url)
        with self._on_this_disk():
            return self._copies(objects)

    def _copies(self, objects: Sequence[RemoteObject]) -> list[Path]:
        entries = {_key(found): found for found in objects}
        self._hold({key: found.size for key, found in entries.items()})
        away = {key: found for key, found in entries.items() if not _is_whole(self._file(key, found), found)}
        if away:
            try:
                self._make_room({key: found.size for key, found in away.items()})
                several(self._fetch, away.items())
            except BaseException:
                holder_of(self._holders).release(iter(away))
                raise
        files = [self._file(_key(found), found) for found in objects]
        for file, found in zip(files, objects, strict=True):
            _touch(file.parent)
            stand_ins().add(file, found.url)
        return files

    def tree(self, url: str, objects: Mapping[str, RemoteObject]) -> Path:
        """A folder that holds these objects under names relative to `url`, whose last name it has.

        Raises:
            StorageError: as `copies`.
        """
        name = PurePosixPath(url.rstrip("/")).name
        check_relative(name, url)
        for relative, found in objects.items():
            check_relative(relative, found.url)
        files = self.copies(list(objects.values()))
        with self._on_this_disk():
            folder = self._tree(name, objects, files)
        stand_ins().add(folder, url)
        return folder

    def _tree(self, name: str, objects: Mapping[str, RemoteObject], files: Sequence[Path]) -> Path:
        listing = "".join(f"{relative}\0{_key(found)}\0" for relative, found in sorted(objects.items()))
        key = _digest(f"{name}\0{listing}")
        self._hold({key: 0})  # its bytes are those of its objects
        folder = self.home / "trees" / key / name
        if not folder.exists():
            made = self.home / "partial" / f"{key}.{uuid4().hex}"
            for relative, file in zip(objects, files, strict=True):
                link = made / name / relative
                try:
                    link.parent.mkdir(parents=True, exist_ok=True)
                    os.link(file, link)
                except (FileExistsError, NotADirectoryError):
                    shutil.rmtree(made)
                    raise StorageError(
                        f"{objects[relative].url}: one object's name is the folder of another's; rename one"
                    ) from None
            try:
                made.rename(folder.parent)
            except OSError:  # somebody else has made the same
                shutil.rmtree(made)
        _touch(folder.parent)
        return folder

    def work_folder(self, url: str) -> Path:
        """Where processes of this machine work on what lies below `url`; not made, and not among what is bounded."""
        plain = url.rstrip("/")
        return self.home / "model_dirs" / f"{PurePosixPath(plain).name[:_NAME_LETTERS]}-{_digest(plain)}"

    def work_folders(self, root: Remote) -> list[Path]:
        """Those of the places right below `root` that are there."""
        found = sorted((self.home / "model_dirs").glob(f"*-{'?' * _KEY_LETTERS}"))
        return [each for each in found if self.work_folder(f"{root / each.name[: -_KEY_LETTERS - 1]}") == each]

    @contextmanager
    def _on_this_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise StorageError(f"{self.home}: {problem.strerror}; {_HOME} says where copies go") from None

    @property
    def _holders(self) -> Path:
        return self.home / "holders"

    def _hold(self, sizes: Mapping[str, int]) -> None:
        with locked(self.home / "lock", exclusively=False):
            holder_of(self._holders).hold(sizes)

    def _file(self, key: str, found: RemoteObject) -> Path:
        return self.home / "objects" / key / found.file_name

    def _fetch(self, entry: tuple[str, RemoteObject], given_up: Event) -> None:
        """Fetch one object unless it is there; its checksum is verified on the way."""
        key, found = entry
        file = self._file(key, found)
        with locked(self.home / "locks" / f"{int(key, 16) % _LOCKS:02x}"):  # another process may be at it
            if _is_whole(file, found):
                return
            _LOG.info("fetching %s, %.1f MiB", found.url, found.size / _MEBIBYTE)
            partial = self.home / "partial" / key
            try:
                for left in (partial, file.parent):  # of one that was killed, of a machine that lost its power
                    shutil.rmtree(left, ignore_errors=True)
                partial.mkdir()
                with (partial / found.file_name).open("wb") as opened:
                    download(found, opened, given_up)
                (partial / found.file_name).chmod(_READ_ONLY)
                partial.rename(file.parent)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise

    def _make_room(self, wanted: Mapping[str, int]) -> None:
        """Remove what nobody uses, the longest unused first, until `wanted` has room too."""
        with locked(self.home / "lock"):
            held = held_in(self._holders)
            self._sweep(held)
            contents = _Contents.of(self.home)
            coming = sum(size for key, size in held.items() if key not in contents.entries)
            for key in sorted(contents.entries, key=contents.used.__getitem__):
                needs_disk = shutil.disk_usage(self.home).free < sum(wanted.values())
                if contents.size + coming <= self.limit and not needs_disk:
                    break
                if key not in held:
                    contents.remove(key, self.home / "partial")
            if contents.size + coming > self.limit:
                raise StorageError(
                    f"{self.home}: {coming / _GIBIBYTE:.3g} GiB are to be fetched and {contents.size / _GIBIBYTE:.3g} "
                    f"are in use, more than the {self.limit / _GIBIBYTE:.3g} that {_LIMIT} allows; allow more"
                )
            free = shutil.disk_usage(self.home).free
            if free < sum(wanted.values()):
                raise StorageError(
                    f"{self.home}: {sum(wanted.values()) / _MEBIBYTE:.1f} MiB are to be fetched and "
                    f"{free / _MEBIBYTE:.1f} MiB are free there; {_HOME} says where copies go"
                )

    def _sweep(self, held: Mapping[str, int]) -> None:
        """Remove what a killed process was fetching, or what nobody fetches any more."""
        for left in (self.home / "partial").iterdir():
            if left.name.partition(".")[0] not in held:
                shutil.rmtree(left, ignore_errors=True)


class _Contents:
    """What lies in the cache: its entries by key, when each was used last, and the bytes of all; links count once."""

    def __init__(self, entries: Mapping[str, Path]) -> None:
        self.entries = dict(entries)
        self.used = {key: entry.stat().st_mtime_ns for key, entry in entries.items()}
        self._links: dict[int, int] = {}
        self.size = 0
        for entry in entries.values():
            for inode, size in _files(entry):
                if inode not in self._links:
                    self.size += size
                self._links[inode] = self._links.get(inode, 0) + 1

    @classmethod
    def of(cls, home: Path) -> _Contents:
        return cls({entry.name: entry for kind in ("objects", "trees") for entry in (home / kind).iterdir()})

    def remove(self, key: str, aside: Path) -> None:
        """Take an entry out of sight in one step, then off the disk."""
        entry = self.entries.pop(key)
        for inode, size in _files(entry):
            self._links[inode] -= 1
            if not self._links[inode]:
                self.size -= size
        out = aside / f"gone.{uuid4().hex}"
        entry.rename(out)
        shutil.rmtree(out, ignore_errors=True)


def _files(entry: Path) -> list[tuple[int, int]]:
    """Inode and size of every file of an entry."""
    found = (file.lstat() for file in entry.rglob("*") if not file.is_dir())
    return [(each.st_ino, each.st_size) for each in found]


def _is_whole(file: Path, found: RemoteObject) -> bool:
    """Whether a copy is there; one that a loss of power cut short has fewer bytes."""
    try:
        return file.stat().st_size == found.size or found.packed
    except FileNotFoundError:
        return False


def _touch(entry: Path) -> None:
    try:
        os.utime(entry)
    except OSError:
        _LOG.debug("%s: its time of use cannot be set", entry)  # a cache that others filled may be read-only


def _key(found: RemoteObject) -> str:
    where = "" if found.scheme == GS else found.scheme
    return _digest(f"{where}{found.bucket}/{found.name}#{found.version}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LETTERS]
