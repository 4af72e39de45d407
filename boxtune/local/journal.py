"""RUN/journal.jsonl: the only truth of a run. Append-only, one JSON event a line, on the disk before it counts.

Each line ends with its number and a checksum (CRC-32C, as etcd's log has) of what stands before it:

    {"event":"started","time":"2026-11-24T10:00:00.123456Z","trial":"drones-0003","n":17,"crc32c":"8c3f09aa"}

So whatever happened to a line, to their order or to their number shows. A journal that was begun before checksums has
none in its first lines.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from boxtune.errors import Interrupted, RunFolderError
from boxtune.local.events import FORMAT, Begun, Event, NoEventError, from_json, to_json

JOURNAL_FILE = "journal.jsonl"
_NO_SPACE = 28  # ENOSPC
_CHECKED = re.compile(rb'^(?P<body>\{.*,"n":(?P<number>\d+)),"crc32c":"(?P<sum>[0-9a-f]{8})"\}$', re.DOTALL)


@dataclass(frozen=True)
class Line:
    """One line of a journal.

    Attributes:
        number: in the file, from 1.
        end: where it ends in the file, in bytes.
        event: what it says; None where it is damaged.
        damage: what is wrong with it, or empty.
    """

    number: int
    end: int
    event: Event | None
    damage: str = ""


def read_lines(file: Path) -> Iterator[Line]:
    """Every whole line of a journal, damaged ones too; a torn last one (its writer was killed) counts as not written.

    Raises:
        RunFolderError: the file cannot be read, or a newer Boxtune has written it.
    """
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunFolderError(f"{file}: cannot be read: {error.strerror}") from None
    end, checked = 0, False
    *lines, rest = data.split(b"\n")
    for number, text in enumerate(lines, start=1):
        end += len(text) + 1
        try:
            event, has_checksum = _event(text, number, file)
            if checked and not has_checksum:
                raise NoEventError("it has no checksum")
        except NoEventError as wrong:
            yield Line(number, end, None, str(wrong))
            checked = checked or number == 1
            continue
        checked = checked or has_checksum
        yield Line(number, end, event)
    if _CHECKED.match(rest[:-1]):  # no write that was cut off leaves more than its line
        yield Line(len(lines) + 1, len(data), None, "its end is not a line's")


def _event(text: bytes, number: int, file: Path) -> tuple[Event, bool]:
    """The event of a line, and whether the line has a checksum.

    Raises:
        NoEventError: it is none, or damaged.
        RunFolderError: a newer Boxtune has written it.
    """
    matched = _CHECKED.match(text)
    if matched is not None:
        if _checksum(matched["body"]) != matched["sum"].decode():
            raise NoEventError("its checksum does not match")
        if int(matched["number"]) != number:
            raise NoEventError(f"it is line {int(matched['number'])} of what was written")
        text = matched["body"][: matched["body"].rindex(b',"n":')] + b"}"
    try:
        read = json.loads(text)
    except ValueError:
        raise NoEventError("not an event") from None
    if number == 1 and matched is not None:
        _refuse_newer(read, file)  # before it is read as an event, which a newer one may not be here
    event = from_json(read)
    if matched is None and isinstance(event, Begun) and event.format > 0:
        raise NoEventError("it has no checksum")
    return event, matched is not None


def _refuse_newer(first: object, file: Path) -> None:
    """Whatever a newer format's first line has, it says its format."""
    written = first.get("format") if isinstance(first, dict) else None
    if isinstance(written, int) and written > FORMAT:
        newer = f"format {written}, and this one reads up to {FORMAT}"
        raise RunFolderError(f"{file}: written by a newer Boxtune ({newer}); use that one")


def written_line(event: Event, number: int) -> bytes:
    """The line of an event."""
    body = json.dumps({**to_json(event), "n": number}, separators=(",", ":")).encode()[:-1]
    return body + b',"crc32c":"' + _checksum(body).encode() + b'"}\n'


def _checksum(data: bytes) -> str:
    return f"{google_crc32c.value(data):08x}"


class Journal:
    """Appends to a journal; what `append` has returned from survives a crash."""

    def __init__(self, file: Path, lines: int, length: int) -> None:
        """Open `file`, cutting off what stands after its last whole line.

        Args:
            lines: how many whole lines it has.
            length: in bytes, of these.

        Raises:
            RunFolderError: it cannot be written.
        """
        self._file = file
        self._lines, self._length = lines, length
        try:
            self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunFolderError(f"{file}: cannot be written: {error.strerror}") from None
        os.ftruncate(self._descriptor, length)

    def append(self, event: Event) -> None:
        """Write one event and wait until the disk has it.

        Raises:
            Interrupted: the disk is full or failed; the journal is as it was before.
        """
        line = written_line(event, self._lines + 1)
        try:
            written = os.pwrite(self._descriptor, line, self._length)
            if written != len(line):
                raise OSError(_NO_SPACE, os.strerror(_NO_SPACE))  # what fitted is not a whole line
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, self._length)
            raise Interrupted(
                f"{self._file}: cannot be written: {error.strerror}; nothing finished is lost, "
                "make room and run the same command again"
            ) from None
        self._lines += 1
        self._length += len(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
