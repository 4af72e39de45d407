"""A run that happened elsewhere (on Katib) as a run's folder: its journal, event by event as if it had been written
here, so that whatever takes a folder takes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from boxtune.errors import RunFolderError
from boxtune.local.applying import OutOfOrderError, apply
from boxtune.local.events import FORMAT, Begun, Confirmed, Created, Ended, Event, Finished, Started
from boxtune.local.journal import JOURNAL_FILE, written_line
from boxtune.local.reading import LOCK_FILE, is_locked, read_journal
from boxtune.local.state import RECORDED, RunState
from boxtune.runs.run import Run
from boxtune.runs.trial import Trial

_CREATED, _STARTED, _ENDED = range(3)  # what comes first of a moment


def record_run(run: Run, folder: Path) -> None:
    """Make `folder` the run's: `open_run` then gives the same run. An earlier record of it is replaced, in one step.

    Trials keep their names, times, conditions, reasons and metrics; their own folders, which are elsewhere, are none.

    Raises:
        RunFolderError: the folder holds something else, or another run, or cannot be written.
    """
    _refuse_others(run, folder)
    state: RunState | None = None
    lines = []
    for number, event in enumerate(_events(run), start=1):
        try:
            state = apply(state, event, folder)  # what cannot follow is not written
        except OutOfOrderError as wrong:
            raise RunFolderError(f"{folder}: the run cannot be recorded: {wrong}") from None
        lines.append(written_line(event, number))
    new = folder / f"{JOURNAL_FILE}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as opened:
            opened.writelines(lines)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(folder / JOURNAL_FILE)
    except OSError as problem:
        raise RunFolderError(f"{folder}: cannot be written: {problem.strerror}") from None


def _refuse_others(run: Run, folder: Path) -> None:
    if not folder.exists():
        return
    if is_locked(folder / LOCK_FILE):
        raise RunFolderError(f"{folder}: boxtune run is at it; give another folder")
    before = read_journal(folder).state
    if before is None:
        foreign = next((file.name for file in folder.iterdir() if not file.name.startswith(JOURNAL_FILE)), None)
        if foreign is not None:
            raise RunFolderError(f"{folder}: is not empty ({foreign}) and holds no run; give another folder")
    elif RECORDED not in before.options or before.started != run.started:
        raise RunFolderError(f"{folder}: holds another run; give another folder")


def _events(run: Run) -> Iterator[Event]:
    """In the order of their times, each trial's in its own."""
    yield Begun(
        time=run.started,
        experiment=run.experiment.raw,
        config_maps=run.experiment.config_maps,
        options={RECORDED: True, "baseline": run.baseline is not None},
        format=FORMAT,
    )
    every = (*run.everything, *run.repeats)
    timed = [
        (event.time, kind, place, event) for place, trial in enumerate(every) for kind, event in _later(run, trial)
    ]
    for place, trial in enumerate(every):  # made in their order, though a later one may have started earlier
        time = min(each.started or run.started for each in every[place:])
        timed.append((time, _CREATED, place, _created(trial, time)))
    for _, _, _, event in sorted(timed, key=itemgetter(0, 1, 2)):
        yield event
    if run.ended:
        yield Finished(time=run.ended, condition=run.condition, message=run.message)
    if run.confirmation is not None:
        yield Confirmed(time=run.confirmation.time or run.ended or run.started, confirmation=run.confirmation)


def _created(trial: Trial, time: str) -> Created:
    return Created(
        time=time,
        trial=trial.name,
        number=trial.number,
        assignments=trial.assignments,
        role=trial.role,
        seed=trial.seed,
        stop_rule=trial.stop_rule,
        same_as=trial.same_as,
        repeats=trial.repeats,
        steps=trial.attempts[0].steps if trial.attempts else trial.steps,
    )


def _later(run: Run, trial: Trial) -> Iterator[tuple[int, Event]]:
    """What happened to a trial after it was made."""
    for attempt in trial.attempts:
        yield _STARTED, Started(time=attempt.started, trial=trial.name, steps=attempt.steps)
    if trial.condition.ended:
        ended = Ended(
            time=trial.ended or trial.started or run.started,
            trial=trial.name,
            condition=trial.condition,
            reason=trial.reason,
            exit_code=trial.exit_code,
            observation=tuple(trial.observation.values()),
            seconds=trial.attempts[-1].seconds if trial.attempts else 0.0,
            first_values=trial.first_values,
            out_of_memory=trial.out_of_memory,
        )
        yield _ENDED, ended
