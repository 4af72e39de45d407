"""A trial's folders that are there whole or not at all: made beside their place, and moved there when complete."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trial_entry.errors import ModelDirError

_UNWRITABLE = {
    getattr(errno, name) for name in ("EACCES", "EDQUOT", "EFBIG", "ENOSPC", "ENOTDIR", "EEXIST", "EPERM", "EROFS")
}


@contextmanager
def whole_folder(place: Path, mark: str, flag: str) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A new empty folder beside `place`, and what moves it there; without that call it is gone at the end.

    A folder of the same kind at `place` is replaced.

    Args:
        mark: the file that every such folder has.
        flag: that named `place`, for messages.

    Raises:
        ModelDirError: `place` is something else, or nothing can be written there.
    """
    place = place.absolute()
    if place.exists() and not (place / mark).is_file() and (not place.is_dir() or any(place.iterdir())):
        raise ModelDirError(f"{flag} {place}: is there already and has no {mark}; name a new folder")
    own, old = (place.with_name(f".{place.name}.{word}-{os.getpid()}") for word in ("making", "old"))

    def publish() -> None:
        if place.exists():
            place.rename(old)
        own.rename(place)
        shutil.rmtree(old, ignore_errors=True)

    try:
        own.mkdir(parents=True)
        yield own, publish
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        raise ModelDirError(f"{flag} {place}: cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(own, ignore_errors=True)
