"""Opening the run in a folder, to look at; whoever runs it may be at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from boxtune.errors import RunFolderError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import Json
from boxtune.local.applying import OutOfOrderError, apply
from boxtune.local.journal import JOURNAL_FILE, read_lines
from boxtune.local.state import RECORDED, RunState
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition, Trial

LOCK_FILE = "run.lock"  # held by the runner


@dataclass(frozen=True)
class ReadJournal:
    """What a journal tells, and what of it was read.

    Attributes:
        state: after all events; None where there is none yet.
        lines: whole ones.
        length: of these, in bytes.
    """

    state: RunState | None
    lines: int = 0
    length: int = 0


def read_journal(folder: Path) -> ReadJournal:
    """The journal of the run in a folder.

    Raises:
        RunFolderError: it is damaged; the message names the line and the command that goes on with what is whole.
    """
    file = folder / JOURNAL_FILE
    found = ReadJournal(None)
    for line in read_lines(file):
        damage = line.damage
        if line.event is not None:
            try:
                found = ReadJournal(apply(found.state, line.event, folder), line.number, line.end)
                continue
            except OutOfOrderError as wrong:
                damage = str(wrong)
        raise RunFolderError(f"{file}:{line.number}: damaged: {damage}; boxtune repair {folder} keeps what is whole")
    return found


@dataclass(frozen=True)
class Beginning:
    """What makes a run go on.

    Attributes:
        experiment: with its counts as they are now.
        options: that it was begun with.
        volumes: folders that it was begun with, by the name of a volume or claim; those that are still here.
    """

    experiment: Experiment
    options: Mapping[str, Json]
    volumes: Mapping[str, Path]


def begun_with(folder: Path) -> Beginning:
    """How the run in a folder was begun.

    Raises:
        RunFolderError: as `open_run`; or the run happened elsewhere, and the folder is its record.
    """
    state = read_state(folder)
    if RECORDED in state.options:
        raise RunFolderError(f"{folder}: the record of a search on a cluster, which cannot go on here")
    here = {name: place for name, place in state.volumes.items() if place.is_dir()}
    return Beginning(state.experiment, state.options, here)


def open_run(folder: Path) -> Run:
    """The run in the folder RUN, as its journal tells it; also while it runs.

    Raises:
        RunFolderError: no run lies there, or its journal is damaged.
    """
    run = read_state(folder).run()
    return run if is_locked(folder / LOCK_FILE) else _as_cut_off(run)


def read_state(folder: Path) -> RunState:
    """All that the journal of the run in a folder tells.

    Raises:
        RunFolderError: no run lies there, or its journal is damaged.
    """
    if folder.is_file():
        raise RunFolderError(f"{folder}: is a file; give the folder of a run")
    state = read_journal(folder).state
    if state is None and (folder / JOURNAL_FILE).exists():
        raise RunFolderError(f"{folder / JOURNAL_FILE}: holds no whole line, so it tells of no run; remove it")
    if state is None:
        raise RunFolderError(f"{folder}: no run lies here (no {JOURNAL_FILE}); boxtune run makes one")
    return state


def _as_cut_off(run: Run) -> Run:
    """A run that no runner is at: what was running waits."""

    def waiting(trial: Trial) -> Trial:
        return replace(trial, condition=Condition.CREATED) if trial.condition is Condition.RUNNING else trial

    run = replace(run, repeats=tuple(map(waiting, run.repeats)))
    if run.ended:
        return run
    return replace(
        run,
        trials=tuple(map(waiting, run.trials)),
        baseline=waiting(run.baseline) if run.baseline is not None else None,
        message="interrupted; the same boxtune run goes on",
    )


def is_locked(file: Path) -> bool:
    """Whether a process holds the lock of `file`; looked up without taking it, which could get in a runner's way.

    By its inode alone: the device that the list has is not the one that `stat` says on Btrfs and on overlays.
    """
    try:
        place = f":{file.stat().st_ino} "
        return any(" FLOCK " in line and place in line for line in Path("/proc/locks").read_text().splitlines())
    except OSError:
        return False
