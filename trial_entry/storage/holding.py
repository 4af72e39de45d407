"""Storage's holds: which process uses what of the cache, so that nobody takes it away from it.

Each process has one file, locked (flock) for as long as it lives, with a line for each entry that it uses, `+KEY
BYTES`, or `-KEY` where it does so no more. Whoever makes room reads the files of those that live; the lock ends with
its process, however that ends, and forks of it keep it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import IO
from uuid import uuid4


@contextmanager
def locked(file: Path, exclusively: bool = True) -> Iterator[None]:
    """Hold the lock of `file`, which is made where it is missing; waits for it."""
    with file.open("a") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX if exclusively else fcntl.LOCK_SH)
        yield


class Holder:
    """What this process holds of the cache at one place; made and used under the cache's lock."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / uuid4().hex).open("a")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._guard = Lock()

    def hold(self, sizes: Mapping[str, int]) -> None:
        """Use these entries from now on: their sizes in bytes by key."""
        self._say("".join(f"+{key} {size}\n" for key, size in sizes.items()))

    def release(self, keys: Iterator[str]) -> None:
        """Use them no more."""
        self._say("".join(f"-{key}\n" for key in keys))

    def _say(self, lines: str) -> None:
        with self._guard:
            self._file.write(lines)
            self._file.flush()


@lru_cache(maxsize=4)
def holder_of(folder: Path) -> Holder:
    """This process's holder at a cache."""
    return Holder(folder)


def held_in(folder: Path) -> dict[str, int]:
    """What living processes hold, sizes by key; the files of the dead are removed. Needs the cache's lock alone."""
    held: dict[str, int] = {}
    for file in folder.iterdir():
        with file.open() as opened:
            if _is_free(opened):
                file.unlink()
                continue
            held |= _read(opened)
    return held


def _is_free(opened: IO[str]) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(opened: IO[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in opened:
        key, _, size = line[1:].strip().partition(" ")
        if line[0] == "+":
            found[key] = int(size)
        else:
            found.pop(key, None)
    return found
