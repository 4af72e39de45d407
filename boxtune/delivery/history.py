"""Delivery's history of a model: what was done with it, a line each, never changed; so that looks at a test count."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from boxtune.delivery.record_files import parse_record
from boxtune.errors import InputError
from trial_entry.contract.json_records import to_json

HISTORY_FILE = "history.jsonl"
EVALUATED, PUBLISHED = "evaluated", "published"


@dataclass(frozen=True)
class Event:
    """One thing that was done.

    Attributes:
        event: EVALUATED or PUBLISHED.
        time: RFC 3339.
        split: that was measured on.
        data_digest: SHA-256 of its records.
        checkpoint: relative to the model's folder.
        metrics: what was seen.
        place: where it was published.
    """

    event: str
    split: str = ""
    data_digest: str = ""
    checkpoint: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    place: str = ""
    time: str = ""


def remember(home: Path, event: Event) -> None:
    """Add a line to the history of a model.

    Raises:
        InputError: it cannot be written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    line = json.dumps({**to_json(event), "time": now})
    try:
        with (home / HISTORY_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(f"{home / HISTORY_FILE}: cannot be written: {error.strerror}") from None


def history(home: Path) -> list[Event]:
    """What was done with a model, in order.

    Raises:
        InputError: a line is none.
    """
    file = home / HISTORY_FILE
    if not file.exists():
        return []
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        found.append(parse_record(Event, line, f"{file}:{number}", "an event of a model's history"))
    return found
