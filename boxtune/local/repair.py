"""`boxtune repair`: from a damaged journal to one of what is whole in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from boxtune.errors import RunFolderError
from boxtune.local.events import Event, Finished
from boxtune.local.journal import JOURNAL_FILE, read_lines, written_line
from boxtune.local.reading import LOCK_FILE, is_locked
from boxtune.local.state import OutOfOrderError, RunState, apply


@dataclass(frozen=True)
class Repair:
    """What came of a repair.

    Attributes:
        dropped: what was left out, a sentence each; empty where nothing was damaged, and nothing was changed.
        kept: how many events are left.
        damaged: where the journal lies as it was; None where nothing was changed.
    """

    dropped: tuple[str, ...]
    kept: int
    damaged: Path | None = None


def repair(folder: Path) -> Repair:
    """Keep every whole line that still makes sense, and the journal as it was beside them.

    A trial whose beginning is lost is made again when the run goes on; what it left in its folder stays, so that it
    goes on from its checkpoint where its assignments are the same.

    Raises:
        RunFolderError: no journal, a runner is at it, or its first line, which has the Experiment, is damaged.
    """
    file = folder / JOURNAL_FILE
    if not file.is_file():
        raise RunFolderError(f"{folder}: no run lies here (no {JOURNAL_FILE})")
    if is_locked(folder / LOCK_FILE):
        raise RunFolderError(f"{folder}: boxtune run is at it; end it first")
    events, dropped = _whole(file)
    if not events:
        raise RunFolderError(
            f"{file}: its first line, which has the Experiment, is damaged; run the Experiment with another --out "
            f"(what the trials left stays in {folder})"
        )
    if not dropped:
        return Repair((), len(events))
    return Repair(tuple(dropped), len(events), _replace(file, events))


def _whole(file: Path) -> tuple[list[Event], list[str]]:
    """The events that are whole and make sense, and what is wrong with the others."""
    state: RunState | None = None
    events: list[Event] = []
    dropped: list[str] = []
    for line in read_lines(file):
        damage = line.damage
        if dropped and isinstance(line.event, Finished):
            damage = "the run's end, which may not be one any more; the run finds it again"
        elif line.event is not None:
            try:
                state = apply(state, line.event, file.parent)
                events.append(line.event)
                continue
            except OutOfOrderError as wrong:
                damage = str(wrong)
        dropped.append(f"line {line.number}: {damage}")
        if state is None:
            break  # nothing makes sense without the Experiment
    return events, dropped


def _replace(file: Path, events: list[Event]) -> Path:
    """Write the events as a journal in `file`'s place; returns where it lies as it was."""
    number = 1
    while (damaged := file.with_name(f"{file.name}.damaged-{number}")).exists():
        number += 1
    new = file.with_name(f"{file.name}.new")
    with new.open("wb") as opened:
        for place, event in enumerate(events, start=1):
            opened.write(written_line(event, place))
        opened.flush()
        os.fsync(opened.fileno())
    os.link(file, damaged)
    new.replace(file)
    return damaged
