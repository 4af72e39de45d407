"""Runs an Experiment's trials on this machine until it is over, and goes on where an earlier run was cut off."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from boxtune.errors import ExperimentError, ExperimentFailed, Interrupted
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.space import inside
from boxtune.local.keeping import Keeper
from boxtune.local.median_stop import MedianStop
from boxtune.local.options import Listener, RunOptions
from boxtune.local.outcome import Outcome, judge
from boxtune.local.processes import Processes
from boxtune.local.resources import Shares, gpus
from boxtune.local.running import RunningTrial
from boxtune.local.servers import MOST_SERVERS, TrialServers
from boxtune.local.store import RunStore
from boxtune.local.template import METRICS_FILE, Template
from boxtune.runs.collector import objective_values
from boxtune.runs.model import Condition, Run, Trial
from boxtune.runs.status import completion, explain
from boxtune.search.catalogue import create_search

_TICK_SECONDS = 1.0
_GRACE_SECONDS = 60.0  # for a checkpoint, between SIGTERM and SIGKILL
_BASELINE = "baseline"
_WATCHDOG_LOCK = "watchdog.lock"


class LocalRunner:
    """One run of an Experiment in a folder."""

    def __init__(self, experiment: Experiment, folder: Path, options: RunOptions, listener: Listener) -> None:
        """Check everything that can be checked before a trial is started.

        Raises:
            InputError: the Experiment cannot run here, or the folder is another Experiment's or in use.
        """
        self._options = options
        self._listener = listener
        self._template = Template(experiment, options.volumes, options.num_steps)
        self._search = create_search(experiment)
        self._stopping = MedianStop(experiment) if experiment.early_stopping else None
        self._exhausted = False
        self._store = RunStore(folder, experiment, {"num_steps": options.num_steps, "baseline": options.baseline})
        self._experiment = self._store.experiment
        self._shares = Shares(options.parallel or self._experiment.counts.parallel, self._template.gpus, gpus())
        self._keeper = Keeper(options.keep, self._store.folder)
        self._running: dict[str, RunningTrial] = {}
        self._stops: list[signal.Signals] = []
        self._wakeup = -1
        self._looked = 0.0
        self._largest = 0  # bytes, of a trial so far
        self._begun = time.monotonic()
        self._spent_before = self._store.seconds_spent
        self._replay()

    def run(self) -> Run:
        """Run until the Experiment is over.

        Raises:
            ExperimentFailed: too many trials failed.
            Interrupted: a signal, a full disk, or the budget is spent; the same command goes on.
        """
        try:
            folder = self._store.folder
            with (
                self._signals(),
                Processes(folder / _WATCHDOG_LOCK) as processes,
                TrialServers(processes, folder, most=0 if self._options.cold else MOST_SERVERS) as servers,
            ):
                try:
                    self._loop(servers)
                except BaseException:
                    self._end_all()
                    raise
        finally:
            self._store.close()
        run = self._store.run()
        if run.condition == "Failed":
            raise ExperimentFailed(self._failure(run))
        return run

    def _loop(self, servers: TrialServers) -> None:
        for text in (*self._notices(), *self._shares.warnings):
            self._listener.notice(text)
        self._plan_baseline()
        self._keeper.tidy(self._store.run())
        while True:
            over = completion(self._store.run())
            if over is not None and not (over[1] == "max" and self._baseline_is_due()):
                self._finish(*over)
                return
            if self._stops:
                raise Interrupted(f"stopped by {self._stops[0].name}; the same command goes on")
            self._start_what_fits(servers)
            if not self._running and self._exhausted:
                self._finish("Succeeded", "end")
                return
            if not self._running:
                raise Interrupted(f"the budget of {self._options.budget:g} s is spent; a larger --budget goes on")
            self._wait()
            self._collect_ended()

    def _notices(self) -> list[str]:
        experiment = self._experiment
        notices = []
        if self._template.left_out:
            notices.append(f"containers {', '.join(self._template.left_out)}: only the primary one is run locally")
        if experiment.counts.most is None and experiment.objective.goal is None and self._options.budget is None:
            notices.append("neither maxTrialCount nor goal nor --budget: this runs until it is interrupted")
        return notices

    # What to start.

    def _plan_baseline(self) -> None:
        name = f"{self._experiment.name}-{_BASELINE}"
        if not self._options.baseline or not self._template.is_own or name in self._store.trials:
            return
        assignments = self._template.baseline(self._store.trial_folder(name))
        if assignments is not None:
            self._store.create(name, None, assignments)

    def _baseline_is_due(self) -> bool:
        """Whether there is a baseline that has not ended: it does not count, but it is waited for."""
        return any(trial.is_baseline and not trial.condition.ended for trial in self._store.trials.values())

    def _start_what_fits(self, servers: TrialServers) -> None:
        """Start trials while there is room and something to start."""
        while self._shares.room(len(self._running), self._largest):
            trial = self._next_trial()
            if trial is None:
                break
            self._keeper.refuse_full_disk()
            self._start(servers, trial)
            self._listener.changed(self._store.run())

    def _next_trial(self) -> Trial | None:
        """A trial that was cut off, else the next suggestion; None where the counts or the budget leave none."""
        for trial in self._store.trials.values():
            if not trial.condition.ended and trial.name not in self._running:
                return trial
        number = sum(not trial.is_baseline for trial in self._store.trials.values())
        if self._experiment.counts.most is not None and number >= self._experiment.counts.most:
            return None
        if self._options.budget is not None and self._spent() >= self._options.budget:
            return None
        name = f"{self._experiment.name}-{number + 1:04d}"
        assignments = self._search.ask(number)
        if assignments is None:
            self._exhausted = True
            return None
        rule = self._stopping.rule(self._store.run().trials) if self._stopping is not None else None
        return self._store.create(name, number, assignments, rule)

    def _start(self, servers: TrialServers, trial: Trial) -> None:
        folder = self._store.trial_folder(trial.name)
        command = self._template.command(trial.name, trial.assignments, folder)
        self._store.start(trial.name)
        environment = {**command.environment, **self._shares.take(trial.name)}
        try:
            process = servers.start(command.argv, environment, command.folder, command.log)
        except OSError as error:
            self._shares.give_back(trial.name)
            raise ExperimentError(f"{command.argv[0]}: cannot be started: {error.strerror}") from None
        self._running[trial.name] = RunningTrial(process, command, trial.stop_rule)

    # What has ended.

    def _wait(self) -> None:
        """Until a process ends, a signal arrives, or a second has gone by."""
        descriptors = [running.process.descriptor for running in self._running.values()]
        select.select([*descriptors, self._wakeup], [], [], _TICK_SECONDS)
        if time.monotonic() - self._looked >= _TICK_SECONDS:
            self._looked = time.monotonic()
            for running in self._running.values():
                running.look(self._options.stall_seconds)
                self._largest = max(self._largest, running.memory)
                self._stop_if_worse(running)
            logs = {name: running.command.log for name, running in self._running.items()}
            self._listener.tick(self._store.run(), logs)

    def _stop_if_worse(self, running: RunningTrial) -> None:
        if self._stopping is None or running.stop_rule is None:
            return
        collector, metric = self._experiment.collector, self._experiment.objective.metric
        values = objective_values(running.command.metrics, metric, collector.filters, collector.file_format)
        if self._stopping.stops(running.stop_rule, values):
            running.stop_early()

    def _collect_ended(self) -> None:
        for name, running in list(self._running.items()):
            code = running.process.poll()
            if code is not None:
                del self._running[name]
                self._shares.give_back(name)
                first = self._stopping.start_step if self._stopping is not None else 0
                outcome = judge(self._experiment, running, code, first)
                self._record(name, outcome, running.seconds)

    def _record(self, name: str, outcome: Outcome, seconds: float) -> None:
        trial = self._store.end(name, outcome, seconds, self._spent())
        self._tell(trial)
        run = self._store.run()
        self._keeper.tidy(run)
        self._listener.changed(run)

    def _end_all(self) -> None:
        """Ask every running trial to save and end; they go on under their names in the next run."""
        for running in self._running.values():
            running.process.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        while any(running.process.poll() is None for running in self._running.values()):
            if time.monotonic() > deadline or len(self._stops) > 1:  # a second Ctrl-C does not wait
                for running in self._running.values():
                    running.process.kill()
            time.sleep(0.02)
        self._running.clear()

    def _finish(self, condition: str, why: str) -> None:
        """The run is over; trials that still run are killed, as Katib deletes them."""
        for name, running in list(self._running.items()):
            running.process.kill()
            outcome = Outcome(Condition.KILLED, "the experiment was over", running.process.poll() or 0, ())
            self._store.end(name, outcome, running.seconds, self._spent())
        self._running.clear()
        self._store.finish(condition, explain(why), self._spent())
        self._listener.changed(self._store.run())

    # The search.

    def _replay(self) -> None:
        """Tell the search what the journal knows, in the journal's order."""
        for kind, trial in self._store.replayed():
            if kind == "created" and trial.number is not None:
                self._search.restore(trial.number, trial.assignments)
            elif kind == "ended":
                self._tell(trial)

    def _tell(self, trial: Trial) -> None:
        value = trial.value(self._experiment.objective) if trial.condition.measured else None
        if trial.number is not None:
            self._search.tell(trial.number, value)
        elif value is not None and inside(self._experiment.parameters, trial.assignments):
            self._search.observe(trial.assignments, value)

    def _spent(self) -> float:
        return self._spent_before + time.monotonic() - self._begun

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the run in order; they also wake `_wait`, through a descriptor."""
        self._wakeup, writer = os.pipe()
        os.set_blocking(writer, False)
        descriptor = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, self._received) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(descriptor)
            os.close(self._wakeup)
            os.close(writer)

    def _received(self, number: int, frame: FrameType | None) -> None:
        self._stops.append(signal.Signals(number))

    def _failure(self, run: Run) -> str:
        failed = [trial for trial in run.trials if trial.condition.failed]
        last = failed[-1]
        many = "1 trial" if len(failed) == 1 else f"{len(failed)} trials"
        return f"{many} failed; the last, {last.name}: {last.reason} (log: {last.folder}/{METRICS_FILE})"
