"""`boxtune repair`: from a damaged journal to one of what is whole in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from boxtune.errors import RunFolderError
from boxtune.local.applying import OutOfOrderError, apply
from boxtune.local.events import Event, Finished
from boxtune.local.journal import JOURNAL_FILE, read_lines, written_line
from boxtune.local.reading import LOCK_FILE, is_locked
from boxtune.local.state import TRIALS_FOLDER, RunState

_LOST = "lost"  # Katib's names of Experiments, and so of trials, have no dot


@dataclass(frozen=True)
class Repair:
    """What came of a repair.

    Attributes:
        dropped: what was left out, a sentence each; empty where nothing was damaged, and nothing was changed.
        kept: how many events are left.
        damaged: where the journal lies as it was; None where nothing was changed.
        set_aside: where that lies which trials have left whose beginning is lost.
    """

    dropped: tuple[str, ...]
    kept: int
    damaged: Path | None = None
    set_aside: tuple[Path, ...] = ()


def repair(folder: Path) -> Repair:
    """Keep every whole line that still makes sense, and the journal as it was beside them.

    A trial whose beginning is lost is none any more, and its name may be given to another when the run goes on: one
    with other assignments, since more is known by then. So what it left in its folder is set aside.

    Raises:
        RunFolderError: no journal, a runner is at it, or its first line, which has the Experiment, is damaged.
    """
    file = folder / JOURNAL_FILE
    if not os.path.isfile(file):
        raise RunFolderError(f"{folder}: no run lies here (no {JOURNAL_FILE})")
    if is_locked(folder / LOCK_FILE):
        raise RunFolderError(f"{folder}: boxtune run is at it; end it first")
    state, events, dropped = _whole(file)
    if state is None:
        raise RunFolderError(
            f"{file}: its first line, which has the Experiment, is damaged; run the Experiment with another --out "
            f"(what the trials left stays in {folder})"
        )
    if not dropped:
        return Repair((), len(events))
    # First: should this be cut off, the journal is still damaged, and the next repair does the rest.
    set_aside = _set_aside(folder / TRIALS_FOLDER, state)
    return Repair(tuple(dropped), len(events), _replace(file, events), set_aside)


def _whole(file: Path) -> tuple[RunState | None, list[Event], list[str]]:
    """The events that are whole and make sense, the state that they make, and what is wrong with the others."""
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
    return state, events, dropped


def _set_aside(trials: Path, state: RunState) -> tuple[Path, ...]:
    """Rename the folders of trials that the run does not have; those that were renamed before stay."""
    moved = []
    for folder in sorted(trials.iterdir()) if trials.is_dir() else ():
        if folder.name not in state.trials and f".{_LOST}-" not in folder.name:
            moved.append(folder.rename(_free(folder, _LOST)))
    return tuple(moved)


def _free(path: Path, word: str) -> Path:
    """A name beside `path` that nothing has: PATH.WORD-N."""
    number = 1
    while (free := path.with_name(f"{path.name}.{word}-{number}")).exists():
        number += 1
    return free


def _replace(file: Path, events: list[Event]) -> Path:
    """Write the events as a journal in `file`'s place; returns where it lies as it was."""
    damaged = _free(file, "damaged")
    new = file.with_name(f"{file.name}.new")
    with new.open("wb") as opened:
        for place, event in enumerate(events, start=1):
            opened.write(written_line(event, place))
        opened.flush()
        os.fsync(opened.fileno())
    os.link(file, damaged)
    new.replace(file)
    return damaged
