"""RUN on the disk: its lock, its journal, and the state that the journal tells of."""

from __future__ import annotations

import difflib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boxtune.errors import RunFolderError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.space import Assignments
from boxtune.local.history import COUNT_FIELDS, LOCK_FILE, TRIALS_FOLDER, History, without_counts
from boxtune.local.journal import JOURNAL_FILE, Event, Journal
from boxtune.local.outcome import Outcome
from boxtune.runs.model import Run, StopRule, Trial


class RunStore:
    """The one writer of a RUN folder."""

    def __init__(self, folder: Path, experiment: Experiment, options: Mapping[str, Any]) -> None:
        """Lock the folder, and begin a run in it or go on with the one that it holds.

        Args:
            options: what of the command line must be the same whenever the run goes on.

        Raises:
            RunFolderError: in use, another Experiment's, or no run's.
        """
        self.folder = folder.absolute()
        self._lock = _lock(self.folder)
        self._history = History(self.folder)
        if not (self.folder / JOURNAL_FILE).exists():
            _refuse_foreign_files(self.folder)
        self._journal = Journal(self.folder / JOURNAL_FILE)
        for event in self._journal.events:
            self._history.apply(event)
        if self._history.experiment is None:
            self._append(
                "experiment", experiment=experiment.raw, config_maps=experiment.config_maps, options=dict(options)
            )
        else:
            self._refuse_changes(experiment, options)
            self._take_counts(experiment)

    @property
    def experiment(self) -> Experiment:
        """The Experiment, with its counts as they are now."""
        assert self._history.experiment is not None
        return self._history.experiment

    @property
    def trials(self) -> Mapping[str, Trial]:
        """Every trial by name, in the order of creation."""
        return self._history.trials

    @property
    def seconds_spent(self) -> float:
        """Wall time of all runners so far."""
        return self._history.seconds

    def run(self) -> Run:
        """The run as it stands."""
        return self._history.run()

    def trial_folder(self, name: str) -> Path:
        """The folder of a trial, made where it is missing."""
        folder = self.folder / TRIALS_FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def create(self, name: str, number: int | None, assignments: Assignments, rule: StopRule | None = None) -> Trial:
        """A new trial; number None is the baseline."""
        more = {"stop_rule": asdict(rule)} if rule is not None else {}
        self._append("created", trial=name, number=number, assignments=assignments, **more)
        return self.trials[name]

    def start(self, name: str) -> None:
        """The trial's process is about to start."""
        self._append("started", trial=name)

    def end(self, name: str, outcome: Outcome, seconds: float, spent: float) -> Trial:
        """The trial has ended."""
        more = {"first_values": outcome.first_values} if outcome.first_values else {}
        self._append(
            "ended",
            trial=name,
            condition=str(outcome.condition),
            reason=outcome.reason,
            exit_code=outcome.exit_code,
            observation=[asdict(metric) for metric in outcome.observation],
            seconds=round(seconds, 3),
            seconds_spent=round(spent, 3),
            **more,
        )
        return self.trials[name]

    def finish(self, condition: str, message: str, spent: float) -> None:
        """The run is over."""
        if self._history.ended:
            return
        self._append("finished", condition=condition, message=message, seconds_spent=round(spent, 3))

    def replayed(self) -> Iterator[tuple[str, Trial]]:
        """(kind, trial) of what the journal held when it was opened; trials as they are now."""
        for event in self._journal.events:
            if "trial" in event:
                yield event["event"], self.trials[event["trial"]]

    def close(self) -> None:
        """Give the folder free."""
        self._journal.close()
        os.close(self._lock)

    def _append(self, kind: str, **fields: Any) -> None:
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._journal.append(kind, time=time, **fields)
        event: Event = {"event": kind, "time": time, **fields}
        self._history.apply(event)

    def _refuse_changes(self, experiment: Experiment, options: Mapping[str, Any]) -> None:
        before, now = self.experiment, experiment
        changes = [
            *_difference(without_counts(before.raw), without_counts(now.raw)),
            *_difference(before.config_maps, now.config_maps),
            *_difference(self._history.options, options),
        ]
        if changes:
            raise RunFolderError(
                f"{self.folder}: holds a run of another Experiment ({'; '.join(changes[:6])}); only the three trial "
                "counts may change: give another --out"
            )

    def _take_counts(self, experiment: Experiment) -> None:
        spec_before, spec_now = self.experiment.raw["spec"], experiment.raw["spec"]
        if any(spec_before.get(name) != spec_now.get(name) for name in COUNT_FIELDS):
            self._append("counts", counts={name: spec_now.get(name) for name in COUNT_FIELDS})


def _lock(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RunFolderError(f"{folder}: cannot be written: {error.strerror}; give another --out") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode().strip()
        os.close(descriptor)
        raise RunFolderError(f"{folder}: in use by boxtune run, process {holder or 'unknown'}") from None
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def _refuse_foreign_files(folder: Path) -> None:
    foreign = next((file.name for file in folder.iterdir() if file.name not in (LOCK_FILE, "watchdog.lock")), None)
    if foreign is not None:
        raise RunFolderError(f"{folder}: is not empty ({foreign}) and holds no run; give another --out")


def _difference(before: Any, now: Any) -> list[str]:
    """Changed lines, marked - and +, without their indent."""
    old, new = (json.dumps(value, indent=1, sort_keys=True).splitlines() for value in (before, now))
    lines = difflib.unified_diff(old, new, lineterm="", n=0)
    return [
        f"{line[0]} {line[1:].strip().rstrip(',')}"
        for line in lines
        if line[:1] in ("+", "-") and line[:3] not in ("+++", "---")
    ]
