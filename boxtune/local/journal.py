"""RUN/journal.jsonl: the only truth of a run. Append-only, one JSON event a line, on the disk before it counts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from boxtune.errors import Interrupted, RunFolderError

JOURNAL_FILE = "journal.jsonl"
Event = dict[str, Any]


def read_events(file: Path) -> list[Event]:
    """The events of a journal, in order; a torn last line (the writer was killed in it) counts as not written.

    Raises:
        RunFolderError: unreadable, or a line before the last is no event.
    """
    return _read(file)[0]


def _read(file: Path) -> tuple[list[Event], int]:
    """The events, and the length in bytes of the part that holds them."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise RunFolderError(f"{file}: cannot be read: {error.strerror}") from None
    events: list[Event] = []
    whole = 0
    lines = data.splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            event = json.loads(line)
            if not isinstance(event, dict) or "event" not in event:
                raise ValueError("not an event")
        except ValueError:
            if number == len(lines):
                break
            raise RunFolderError(f"{file}:{number}: not an event; the journal was changed by something else") from None
        if not line.endswith(b"\n"):
            break  # complete by chance, but the writer had not finished it
        events.append(event)
        whole += len(line)
    return events, whole


class Journal:
    """Appends to a journal; what `append` has returned from survives a crash."""

    def __init__(self, file: Path) -> None:
        """Open `file`, cutting off a torn last line."""
        self._file = file
        self.events, self._length = _read(file)
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._descriptor, self._length)

    def append(self, kind: str, **fields: Any) -> None:
        """Write one event and wait until the disk has it.

        Raises:
            Interrupted: the disk is full or failed; the journal is as it was before.
        """
        event: Mapping[str, Any] = {"event": kind, **fields}
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        try:
            written = os.pwrite(self._descriptor, line, self._length)
            if written != len(line):
                raise OSError(28, os.strerror(28))  # ENOSPC: what fitted is not a whole line
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, self._length)
            raise Interrupted(
                f"{self._file}: cannot be written: {error.strerror}; nothing finished is lost, "
                "make room and run the same command again"
            ) from None
        self._length += len(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
