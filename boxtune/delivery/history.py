"""Delivery's history of a model: what was done with it, a file each, never changed; so that looks at a test count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from boxtune.delivery.asking import request_errors
from boxtune.delivery.record_files import now, parse_record, record_content
from trial_entry.storage.store import Store, open_store

HISTORY_FOLDER = "history"
EVALUATED, PUBLISHED = "evaluated", "published"


@dataclass(frozen=True)
class Event:
    """One thing that was done.

    Attributes:
        event: EVALUATED or PUBLISHED.
        time: RFC 3339.
        model: as whoever named it wrote it.
        split: that was measured on.
        data_digest: SHA-256 of its records.
        checkpoint: relative to the model's folder.
        metrics: what was seen.
        place: where it was published.
    """

    event: str
    model: str = ""
    split: str = ""
    data_digest: str = ""
    checkpoint: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    place: str = ""
    time: str = ""


def remember(place: str, event: Event) -> None:
    """Add an event to the history in a folder or gs:// prefix.

    Raises:
        InputError: it cannot be written.
    """
    content = record_content(replace(event, time=now()))
    with request_errors():
        store = open_store(place)
        number = len(_names(store)) + 1
        while not store.write_new(f"{HISTORY_FOLDER}/{number:06d}.json", content):
            number += 1


def history(place: str) -> list[Event]:
    """What was done with a model, in order.

    Raises:
        InputError: a file of it is none.
    """
    with request_errors():
        store = open_store(place)
        held = [(name, store.read(name)) for name in _names(store)]
    what = "an event of a model's history"
    return [parse_record(Event, each, f"{place}/{name}", what) for name, each in held if each is not None]


def _names(store: Store) -> list[str]:
    return [name for name in store.names() if name.startswith(f"{HISTORY_FOLDER}/") and name.endswith(".json")]
