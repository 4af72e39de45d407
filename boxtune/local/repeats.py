"""Trains repeats on this machine: trials of a run that is searched through, with seeds of their own, and what measures
them.

They are started, watched and kept as the search's trials are, in the same folder and journal; whatever interrupts them,
the same command goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType

from boxtune.errors import InputError, Interrupted
from boxtune.execution.executor import Executor
from boxtune.execution.jobs import EndedJob, Job
from boxtune.execution.resources import Shares, gpus
from boxtune.experiment.editing import NO_SEED
from boxtune.local.keeping import Keeper
from boxtune.local.options import Listener, RunOptions
from boxtune.local.outcome import judge
from boxtune.local.reading import begun_with
from boxtune.local.signals import Signals
from boxtune.local.store import WATCHDOG_LOCK, RunStore
from boxtune.local.template import Command, Template, link_model_dir
from boxtune.runs.confirmation import Confirmation
from boxtune.runs.run import Run
from boxtune.runs.trained_config import trained_config
from boxtune.runs.trial import Trial
from boxtune.search.repeating import Config, Plan, base_of, plan
from trial_entry.contract.requests import PROGRAM, TrainRequest, parse
from trial_entry.errors import RequestError
from trial_entry.storage.urls import Remote


def refuse_without_seed(template: Template, where: Path) -> None:
    """
    Raises:
        InputError: trials of this template cannot be made again with another seed.
    """
    if not template.takes_seed:
        raise InputError(f"{where}: {NO_SEED}")


class Repeater:
    """The repeats of the run in a folder; a context manager, in the main thread, which holds the folder."""

    def __init__(self, folder: Path, options: RunOptions, listener: Listener) -> None:
        """
        Args:
            options: how many at a time, and so on; volumes that are left out, the run's length and its baseline are as
                it was begun.

        Raises:
            InputError: no run lies there, or its trials cannot be made again here with another seed.
        """
        self._begun_as = begun_with(folder)
        steps = self._begun_as.options.get("num_steps")
        volumes = {**self._begun_as.volumes, **options.volumes}
        self.template = Template(self._begun_as.experiment, volumes, steps if isinstance(steps, int) else None)
        refuse_without_seed(self.template, folder)
        self._folder = folder
        self._options = options
        self._listener = listener
        self._stack = ExitStack()
        self._commands: dict[str, Command] = {}
        self._begun = time.monotonic()

    def __enter__(self) -> Repeater:
        with self._stack as stack:
            self._store = RunStore(self._folder, self._begun_as.experiment, self._begun_as.options)
            stack.callback(self._store.close)
            self._spent_before = self._store.seconds_spent
            parallel = self._options.parallel or self._begun_as.experiment.counts.parallel
            shares = Shares(parallel, self.template.gpus, gpus())
            self._keeper = Keeper(self._options.keep, self._store.folder)
            self._keeper.weigh(self.run.everything)
            self._signals = stack.enter_context(Signals())
            lock = self._store.folder / WATCHDOG_LOCK
            executor = Executor(self._store.folder, lock, shares, self._options.stall_seconds, self._options.cold)
            self._executor = stack.enter_context(executor)
            for text in shares.warnings:
                self._listener.notice(text)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is not None:  # repeats go on under their names; a second Ctrl-C does not wait for checkpoints
                self._executor.terminate_all(lambda: len(self._signals.received) > 1)

    @property
    def run(self) -> Run:
        """The run as it stands."""
        return self._store.run()

    @cached_property
    def base(self) -> Config | None:
        """The base config's own values; None where there are none to compare with."""
        return base_of(self.run, lambda: self.template.baseline() if self.template.is_own else None)

    def train(self, repeats: int) -> Plan:
        """Train what is missing for so many repeats of the winner and of the base config; those that failed before this
        call are made up for, those that fail in it are not.

        Raises:
            Interrupted: a signal, or a full disk.
            ExperimentError: one cannot be started.
        """
        forgiven = {each.name for each in self.run.repeats if each.condition.ended and not each.condition.measured}
        while True:
            self._refuse_signals()
            found = plan(self.run, self.base, repeats, forgiven)
            self._start_what_fits(found)
            if not self._executor.running:
                return found
            for ended in self._next_ended():
                self._take(ended)

    def execute(self, jobs: Iterable[Job], done: Callable[[EndedJob], None]) -> None:
        """Run jobs, as many at a time as there is room for; each that has ended is `done`.

        Raises:
            Interrupted: a signal.
            ExperimentError: one cannot be started.
        """
        waiting = list(jobs)
        while waiting or self._executor.running:
            self._refuse_signals()
            while waiting and self._executor.has_room():
                self._executor.start(waiting.pop(0))
            for ended in self._next_ended():
                done(ended)

    def command(self, trial: Trial) -> Command:
        """What a repeat runs."""
        if trial.name not in self._commands:
            folder = self._store.trial_folder(trial.name)
            self._commands[trial.name] = self.template.command(trial.name, trial.assignments, folder, seed=trial.seed)
        return self._commands[trial.name]

    def request(self, trial: Trial) -> TrainRequest:
        """What a repeat of `python -m trial_entry` is asked for.

        Raises:
            InputError: nothing that it would train.
        """
        try:
            request = parse(self.command(trial).argv[len(PROGRAM) :])
        except RequestError as wrong:
            raise InputError(f"{trial.name}: {wrong}") from None
        assert isinstance(request, TrainRequest)  # the template's own command
        return request

    def model_dir(self, trial: Trial) -> Path | Remote:
        """Where a repeat that has ended has left its checkpoint: below its own folder, or where its command says.

        Raises:
            InputError: as `request`.
        """
        found = trained_config(trial)
        if found is not None:
            return found.parent
        place = self.command(trial).shared or self.request(trial).model_dir
        if place is None:
            raise InputError(f"{trial.name}: nothing says where below its --model_root it was trained")
        return place

    def keep(self, confirmation: Confirmation) -> Run:
        """Write it to the journal, unless it stands there already."""
        self._store.confirm(confirmation)
        self._listener.changed(self.run)
        return self.run

    def _start_what_fits(self, found: Plan) -> None:
        cut_off = [
            each for each in self.run.repeats if not each.condition.ended and each.name not in self._executor.running
        ]
        missing = list(found.missing)
        while self._executor.has_room() and (cut_off or missing):
            self._keeper.refuse_full_disk()
            trial = cut_off.pop(0) if cut_off else self._store.create_repeat(missing.pop(0))
            self._start(trial)
            self._listener.changed(self.run)

    def _start(self, trial: Trial) -> None:
        command = self.command(trial)
        link_model_dir(self._store.trial_folder(trial.name), command.shared)
        self._store.start(trial.name)
        self._executor.start(command.job(trial.name))

    def _next_ended(self) -> list[EndedJob]:
        """Wait for something to happen."""
        self._executor.wait(self._signals.wakeup)
        if self._executor.end_overdue():
            logs: Mapping[str, Path] = {name: job.log for name, job in self._executor.running.items()}
            self._listener.tick(self.run, logs)
        return self._executor.collect_ended()

    def _take(self, ended: EndedJob) -> None:
        command = self._commands[ended.job.name]
        outcome = judge(self._begun_as.experiment, ended, command.metrics, None, 0, self.template.is_own)
        spent = self._spent_before + time.monotonic() - self._begun
        self._store.end(ended.job.name, outcome, ended.seconds, spent)
        self._listener.changed(self.run)

    def _refuse_signals(self) -> None:
        if self._signals.received:
            raise Interrupted(f"stopped by {self._signals.received[0].name}; the same command goes on")
