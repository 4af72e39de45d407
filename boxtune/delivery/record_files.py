"""Delivery's JSON files: a frozen dataclass each, written in one step; one clear line where a file is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from boxtune.errors import InputError
from trial_entry.contract.json_records import from_json, to_json
from trial_entry.errors import RequestError
from trial_entry.model_dir import write_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")


def now() -> str:
    """RFC 3339, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def parse_record(kind: type[R], content: bytes | str, where: str, what: str) -> R:
    """The record that `content` is.

    Args:
        where: the file, for the message.
        what: it should be, such as "a manifest".

    Raises:
        InputError: it is something else.
    """
    try:
        return from_json(kind, json.loads(content), where)
    except (RequestError, ValueError, RecursionError) as wrong:
        raise InputError(f"{where}: is not {what}: {wrong}") from None


def record_content(record: DataclassInstance) -> bytes:
    """What `parse_record` reads."""
    return (json.dumps(to_json(record), indent=1) + "\n").encode()


def write_record(record: DataclassInstance, file: Path) -> None:
    """Replace a file.

    Raises:
        InputError: it cannot be written.
    """
    try:
        write_json(file, to_json(record))
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}") from None
