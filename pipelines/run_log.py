"""The log of a pipeline's run on this machine: all that kfp and the steps print; and what is said of a full disk."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from boxtune.errors import InputError, Interrupted

LOG_FILE = "kfp.log"
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


@contextmanager
def opened_log(folders: Sequence[Path]) -> Iterator[TextIO]:
    """The log, in the first of `folders`, which are made as needed.

    Raises:
        InputError: one cannot be written.
    """
    try:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        log = (folders[0] / LOG_FILE).open("a", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written: {error.strerror}; give another place") from None
    with log:
        yield log


@contextmanager
def disk_errors(out: Path) -> Iterator[None]:
    """A full or broken disk, found by whoever writes the log or an artifact, or closes it, is one line.

    Raises:
        Interrupted: the run can go on once there is room.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        what = f"{error.filename or out}: cannot be written: {error.strerror}"
        raise Interrupted(f"{what}; make room, and the same command goes on") from None
