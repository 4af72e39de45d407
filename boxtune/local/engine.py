"""Runs an Experiment's trials on this machine until it is over, and goes on where an earlier run was cut off.

A policy says what comes next, the executor runs it, the store keeps what came of it; the engine is the loop between.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from boxtune.errors import BudgetSpent, ExperimentFailed, Interrupted
from boxtune.execution.executor import Executor
from boxtune.execution.jobs import EndedJob
from boxtune.execution.resources import Shares, gpus
from boxtune.experiment.experiment import Experiment
from boxtune.local.keeping import Keeper, has_lost_checkpoint
from boxtune.local.options import Listener, RunOptions
from boxtune.local.outcome import Outcome, judge, paused, taken_over
from boxtune.local.planning import Planner, planned_policy
from boxtune.local.signals import Signals
from boxtune.local.store import WATCHDOG_LOCK, RunStore
from boxtune.local.template import METRICS_FILE, Template, link_model_dir
from boxtune.local.warm_start import prior_runs
from boxtune.runs.collector import objective_values
from boxtune.runs.completion import Completion, completion
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Condition, StopRule, Trial
from boxtune.search.median_stop import MedianStop


class LocalEngine:
    """One run of an Experiment in a folder."""

    def __init__(self, experiment: Experiment, folder: Path, options: RunOptions, listener: Listener) -> None:
        """Check everything that can be checked before a trial is started.

        Raises:
            InputError: the Experiment cannot run here, or the folder is another Experiment's or in use.
        """
        self._options = options
        self._listener = listener
        self._template = Template(experiment, options.volumes, options.num_steps)
        prior = prior_runs(folder, options.warm_start, experiment, self._template)
        policy = planned_policy(experiment, self._template, options, prior)
        self._stopping = MedianStop(experiment) if experiment.early_stopping else None
        begun_with = {"num_steps": options.num_steps, "baseline": options.baseline}
        self._store = RunStore(folder, experiment, begun_with, options.volumes, prior)
        self._experiment = self._store.experiment
        self._shares = Shares(options.parallel or self._experiment.counts.parallel, self._template.gpus, gpus())
        self._keeper = Keeper(options.keep, self._store.folder)
        with ExitStack() as refused:
            refused.callback(self._store.close)
            self._planner = Planner(policy, self._store, self._template, self._stopping, options)
            self._forgotten = self._store.forget_memory() if options.forget_memory else []
            refused.pop_all()
        self._metrics: dict[str, Path] = {}  # what the collector reads, of each trial that runs
        self._stopped_by: dict[str, StopRule] = {}  # of the trials that early stopping has asked to end
        self._begun = time.monotonic()
        self._spent_before = self._store.seconds_spent

    def run(self) -> Run:
        """Run until the Experiment is over.

        Raises:
            ExperimentFailed: too many trials failed.
            Interrupted: a signal, a full disk, or the budget is spent; the same command goes on.
        """
        folder, options = self._store.folder, self._options
        try:
            with (
                Signals() as signals,
                Executor(folder, folder / WATCHDOG_LOCK, self._shares, options.stall_seconds, options.cold) as executor,
            ):
                try:
                    self._loop(executor, signals)
                except BaseException:
                    # They go on under their names in the next run; a second Ctrl-C does not wait for their checkpoints.
                    executor.terminate_all(lambda: len(signals.received) > 1)
                    raise
        finally:
            self._store.close()
        run = self._store.run()
        if run.condition is RunCondition.FAILED:
            raise ExperimentFailed(self._failure(run))
        return run

    def _loop(self, executor: Executor, signals: Signals) -> None:
        for text in (*self._notices(), *self._shares.warnings):
            self._listener.notice(text)
        self._planner.plan_baseline()
        self._keeper.tidy(self._store.run())
        while True:
            over = completion(self._store.run())
            if over is not None and not self._planner.waits_for(over):
                self._finish(executor, over)
                return
            if signals.received:
                raise Interrupted(f"stopped by {signals.received[0].name}; the same command goes on")
            self._start_what_fits(executor)
            if not executor.running:
                if self._planner.exhausted is not None:
                    self._finish(executor, self._planner.exhausted)
                    return
                if completion(self._store.run()) is None:
                    raise BudgetSpent(f"the budget of {self._options.budget:g} s is spent; a larger --budget goes on")
                continue
            executor.wait(signals.wakeup)
            if executor.end_overdue():
                self._look(executor)
            for ended in executor.collect_ended():
                self._take(ended)

    def _notices(self) -> list[str]:
        experiment, notices = self._experiment, [each.sentence for each in self._store.run().warm_start]
        if self._template.left_out:
            notices.append(f"containers {', '.join(self._template.left_out)}: only the primary one is run locally")
        if experiment.counts.most is None and experiment.objective.goal is None and self._options.budget is None:
            notices.append("neither maxTrialCount nor goal nor --budget: this runs until it is interrupted")
        if self._options.forget_memory:
            notices.append(_what_is_forgotten(self._forgotten, self._store.trials))
        return notices

    # What to start.

    def _start_what_fits(self, executor: Executor) -> None:
        """Start trials while there is room and something to start."""
        while executor.has_room():
            found = self._planner.due_trial(executor.running)
            if found is None and self._may_suggest():
                found = self._planner.suggested_trial(executor.running)
            if found is None:
                break
            trial, steps = found
            earlier = self._store.trial(trial.same_as) if self._options.reuse else None
            if earlier is not None and earlier.condition.measured:
                self._record(trial.name, taken_over(earlier), 0.0)
            else:
                self._keeper.refuse_full_disk()
                self._start(executor, trial, steps)
                self._listener.changed(self._store.run())

    def _may_suggest(self) -> bool:
        """Whether the search is asked at all: the run is not over, and there is time left."""
        budget = self._options.budget
        return completion(self._store.run()) is None and (budget is None or self._spent() < budget)

    def _start(self, executor: Executor, trial: Trial, steps: int | None) -> None:
        folder = self._store.trial_folder(trial.name)
        if has_lost_checkpoint(trial):
            what = "its checkpoint is not there any more, so it trains from the first step again"
            self._listener.notice(f"{trial.name}: {what} (--keep all keeps those of every trial)")
        command = self._template.command(trial.name, trial.assignments, folder, steps)
        link_model_dir(folder, command.shared)
        self._store.start(trial.name, steps)
        self._metrics[trial.name] = command.metrics
        executor.start(command.job(trial.name))

    # What runs, and what has ended.

    def _look(self, executor: Executor) -> None:
        """Once a second: end trials that do worse than the others did, and say what goes on."""
        for name in executor.running:
            trial = self._store.trial(name)
            if self._stopping is None or trial is None or trial.stop_rule is None or name in self._stopped_by:
                continue
            collector, metric = self._experiment.collector, self._experiment.objective.metric
            values = objective_values(self._metrics[name], metric, collector.filters, collector.file_format)
            if self._stopping.stops(trial.stop_rule, values):
                self._stopped_by[name] = trial.stop_rule
                executor.terminate(name)
        logs = {name: job.log for name, job in executor.running.items()}
        self._listener.tick(self._store.run(), logs)

    def _take(self, ended: EndedJob) -> None:
        name = ended.job.name
        first = self._stopping.start_step if self._stopping is not None else 0
        stopped_by, own = self._stopped_by.get(name), self._template.is_own
        outcome = judge(self._experiment, ended, self._metrics[name], stopped_by, first, own)
        trial = self._store.trial(name)
        at_rung = trial is not None and trial.steps is not None and outcome.condition is Condition.SUCCEEDED
        self._record(name, paused(outcome) if at_rung else outcome, ended.seconds)

    def _record(self, name: str, outcome: Outcome, seconds: float) -> None:
        self._store.end(name, outcome, seconds, self._spent())
        run = self._store.run()
        self._keeper.tidy(run)
        self._listener.changed(run)

    def _finish(self, executor: Executor, over: Completion) -> None:
        """The run is over; trials that still run are killed, as Katib deletes them."""
        for ended in executor.kill_all():
            outcome = Outcome(Condition.KILLED, "the experiment was over", ended.code)
            self._store.end(ended.job.name, outcome, ended.seconds, self._spent())
        self._store.finish(over.condition, over.message, self._spent())
        self._listener.changed(self._store.run())

    def _spent(self) -> float:
        return self._spent_before + time.monotonic() - self._begun

    def _failure(self, run: Run) -> str:
        failed = [trial for trial in run.trials if trial.condition.failed]
        last, folder = failed[-1], self._store.folder
        many = "1 trial" if len(failed) == 1 else f"{len(failed)} trials"
        return (
            f"{many} failed; the last, {last.name}: {last.reason} (log: {last.folder}/{METRICS_FILE}; boxtune show "
            f"{folder} has the others). Mend what they say and give another --out, or raise maxFailedTrialCount and "
            "give the same command again"
        )


def _what_is_forgotten(now: Sequence[Trial], trials: Sequence[Trial]) -> str:
    if not now:
        before = any(trial.forgotten for trial in trials)
        why = "what ran out of memory was forgotten before" if before else "no trial has run out of memory"
        return f"--forget-memory: {why}, so there is nothing to forget"
    many = f"{now[0].name} and {len(now) - 1} more" if len(now) > 1 else now[0].name
    return f"forgotten: that {many} ran out of memory; such configs are tried again"
