"""RUN on the disk: its lock, its journal, and the state that the journal tells of."""

from __future__ import annotations

import difflib
import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from boxtune.errors import RunFolderError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import Json
from boxtune.local.applying import apply
from boxtune.local.events import (
    FORMAT,
    Begun,
    Confirmed,
    CountsChanged,
    Created,
    Ended,
    Event,
    Finished,
    MemoryForgotten,
    Started,
)
from boxtune.local.journal import JOURNAL_FILE, Journal
from boxtune.local.outcome import Outcome
from boxtune.local.reading import LOCK_FILE, read_journal
from boxtune.local.state import COUNT_FIELDS, TRIALS_FOLDER, without_counts
from boxtune.runs.confirmation import Confirmation
from boxtune.runs.prior import PriorRun
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Role, StopRule, Trial
from boxtune.search.policy import Suggestion
from boxtune.search.repeating import Repeat
from trial_entry.printable import printable

WATCHDOG_LOCK = "watchdog.lock"  # held until the last process of a run is gone


class RunStore:
    """The one writer of a RUN folder."""

    def __init__(
        self,
        folder: Path,
        experiment: Experiment,
        options: Mapping[str, Json],
        volumes: Mapping[str, Path] = MappingProxyType({}),
        warm_start: tuple[PriorRun, ...] = (),
    ) -> None:
        """Lock the folder, and begin a run in it or go on with the one that it holds.

        Args:
            options: what of the command line must be the same whenever the run goes on.
            volumes: where volumes lie here, for who repeats trials; may be others whenever the run goes on.
            warm_start: what its search is told of earlier runs; of a run that goes on, what it was told.

        Raises:
            RunFolderError: in use, another Experiment's, damaged, or no run's.
        """
        self.folder = folder.absolute()
        self._lock = _lock(self.folder)
        try:
            self._open(experiment, options, volumes, warm_start)
        except BaseException:
            os.close(self._lock)
            raise

    def _open(
        self,
        experiment: Experiment,
        options: Mapping[str, Json],
        volumes: Mapping[str, Path],
        warm_start: tuple[PriorRun, ...],
    ) -> None:
        self._run: Run | None = None  # made when it is asked for, until something happens
        self._ordered: tuple[Trial, ...] | None = None  # likewise
        found = read_journal(self.folder)
        if found.state is None:
            _refuse_foreign_files(self.folder)
        self._journal = Journal(self.folder / JOURNAL_FILE, found.lines, found.length)
        if found.state is None:
            begun = Begun(
                time=_now(),
                experiment=experiment.raw,
                config_maps=experiment.config_maps,
                options=dict(options),
                format=FORMAT,
                volumes={name: str(place.absolute()) for name, place in volumes.items()} or None,
                warm_start=warm_start,
            )
            self._state = apply(None, begun, self.folder)  # what cannot be is not written
            self._journal.append(begun)
        else:
            self._state = found.state
            self._refuse_changes(experiment, options)
            self._take_counts(experiment)

    @property
    def experiment(self) -> Experiment:
        """The Experiment, with its counts as they are now."""
        return self._state.experiment

    @property
    def trials(self) -> Sequence[Trial]:
        """Every trial of the search and the baseline, in the order of creation; without repeats."""
        if self._ordered is None:
            self._ordered = tuple(each for each in self._state.in_order() if each.role is not Role.REPEAT)
        return self._ordered

    def trial(self, name: str) -> Trial | None:
        """The trial of this name, or None."""
        return self._state.trials.get(name)

    @property
    def seconds_spent(self) -> float:
        """Wall time of all runners so far."""
        return self._state.seconds

    def run(self) -> Run:
        """The run as it stands."""
        if self._run is None:
            self._run = self._state.run()
        return self._run

    def trial_folder(self, name: str) -> Path:
        """The folder of a trial, made where it is missing."""
        folder = self.folder / TRIALS_FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def create(
        self, name: str, role: Role, suggestion: Suggestion, rule: StopRule | None = None, same_as: str = ""
    ) -> Trial:
        """A new trial.

        Args:
            suggestion: its assignments, its steps, and its number where it was suggested.
            rule: of early stopping.
            same_as: the earlier trial of the same config.
        """
        self._append(
            Created(
                time=_now(),
                trial=name,
                role=role,
                number=suggestion.number if role is Role.SUGGESTED else None,
                assignments=suggestion.assignments,
                stop_rule=rule,
                same_as=same_as,
                steps=suggestion.steps,
            )
        )
        return self._state.trials[name]

    def create_repeat(self, repeat: Repeat) -> Trial:
        """A new repeat of a trial, which is no trial of the search."""
        self._append(
            Created(
                time=_now(),
                trial=repeat.name,
                role=Role.REPEAT,
                number=None,
                assignments=repeat.assignments,
                seed=repeat.seed,
                repeats=repeat.repeats,
            )
        )
        return self._state.trials[repeat.name]

    def confirm(self, confirmation: Confirmation) -> None:
        """What the repeats gave; nothing where the same was said before."""
        before = self._state.confirmation
        if before is None or replace(before, time=confirmation.time) != confirmation:
            self._append(Confirmed(time=_now(), confirmation=confirmation))

    def forget_memory(self) -> list[Trial]:
        """Let the trials that ran out of memory tell nothing any more; returns those that did until now."""
        told = [trial for trial in self.trials if trial.out_of_memory and not trial.forgotten]
        if told:
            self._append(MemoryForgotten(time=_now()))
        return told

    def start(self, name: str, steps: int | None = None) -> None:
        """A process of the trial is about to start."""
        self._append(Started(time=_now(), trial=name, steps=steps))

    def end(self, name: str, outcome: Outcome, seconds: float, spent: float) -> None:
        """The trial has ended.

        Args:
            seconds: that its process ran.
            spent: seconds that runners have spent on the run so far.
        """
        self._append(
            Ended(
                time=_now(),
                trial=name,
                condition=outcome.condition,
                reason=printable(outcome.reason),  # it may quote what a trial printed
                exit_code=outcome.exit_code,
                observation=tuple(outcome.observation),
                seconds=round(seconds, 3),
                seconds_spent=round(spent, 3),
                first_values=tuple(outcome.first_values),
                out_of_memory=outcome.out_of_memory,
            )
        )

    def finish(self, condition: RunCondition, message: str, spent: float) -> None:
        """The run is over."""
        if not self._state.ended:
            self._append(Finished(time=_now(), condition=condition, message=message, seconds_spent=round(spent, 3)))

    def close(self) -> None:
        """Give the folder free."""
        self._journal.close()
        os.close(self._lock)

    def _append(self, event: Event) -> None:
        after = apply(self._state, event, self.folder)  # before it is written: what cannot follow is not
        self._journal.append(event)
        self._state, self._run, self._ordered = after, None, None

    def _refuse_changes(self, experiment: Experiment, options: Mapping[str, Json]) -> None:
        before, now = self.experiment, experiment
        changes = [
            *_difference(without_counts(before.raw), without_counts(now.raw)),
            *_difference(before.config_maps, now.config_maps),
        ]
        begun, asked = (_flags(each) for each in (self._state.options, options))
        if not changes and begun != asked and set(options) == set(self._state.options):
            what = f"was begun with {begun or 'neither --num-steps nor --no-baseline'}"
            raise RunFolderError(f"{self.folder}: {what}; give the same, or another --out")
        changes += _difference(self._state.options, options)
        if changes:
            raise RunFolderError(
                f"{self.folder}: holds a run of another Experiment ({'; '.join(changes[:6])}); only the three trial "
                "counts may change: give another --out"
            )

    def _take_counts(self, experiment: Experiment) -> None:
        spec_before, spec_now = self.experiment.raw["spec"], experiment.raw["spec"]
        if any(spec_before.get(name) != spec_now.get(name) for name in COUNT_FIELDS):
            self._append(CountsChanged(time=_now(), counts={name: spec_now.get(name) for name in COUNT_FIELDS}))


def _flags(options: Mapping[str, Json]) -> str:
    """The options of `boxtune run` as they are written."""
    steps, baseline = options.get("num_steps"), options.get("baseline", True)
    return " ".join([*([f"--num-steps {steps}"] if steps else []), *([] if baseline else ["--no-baseline"])])


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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
    own = (LOCK_FILE, WATCHDOG_LOCK, JOURNAL_FILE)  # a journal without a whole first line holds nothing yet
    foreign = next((file.name for file in folder.iterdir() if file.name not in own), None)
    if foreign is not None:
        raise RunFolderError(f"{folder}: is not empty ({foreign}) and holds no run; give another --out")


def _difference(before: Json, now: Json) -> list[str]:
    """Changed lines, marked - and +, without their indent."""
    old, new = (json.dumps(value, indent=1, sort_keys=True).splitlines() for value in (before, now))
    lines = difflib.unified_diff(old, new, lineterm="", n=0)
    return [
        f"{line[0]} {line[1:].strip().rstrip(',')}"
        for line in lines
        if line[:1] in ("+", "-") and line[:3] not in ("+++", "---")
    ]
