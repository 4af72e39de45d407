"""From a journal's events to the run that they tell of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from boxtune.errors import RunFolderError
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.local.journal import JOURNAL_FILE, Event, read_events
from boxtune.runs.model import Condition, Metric, Run, StopRule, Trial

TRIALS_FOLDER = "trials"
LOCK_FILE = "run.lock"  # held by the runner
COUNT_FIELDS = ("parallelTrialCount", "maxTrialCount", "maxFailedTrialCount")


class History:
    """A run's state, moved on by one event at a time.

    The events: `experiment` (the Experiment and the run's options), `counts` (edited), `created`, `started` and
    `ended` (a trial), `finished` (the run).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.experiment: Experiment | None = None
        self.options: dict[str, Any] = {}
        self.trials: dict[str, Trial] = {}
        self.condition, self.message = "Running", "Experiment is running"
        self.started = self.ended = ""
        self.seconds = 0.0  # that runners have spent on it

    def apply(self, event: Event) -> None:
        """Take one event."""
        getattr(self, f"_{event['event']}")(event)
        self.seconds = max(self.seconds, event.get("seconds_spent", 0.0))

    def run(self) -> Run:
        """The run so far."""
        assert self.experiment is not None
        suggested = sorted(
            (trial for trial in self.trials.values() if trial.number is not None), key=lambda trial: trial.number or 0
        )
        baseline = next((trial for trial in self.trials.values() if trial.is_baseline), None)
        return Run(
            self.experiment,
            tuple(suggested),
            baseline,
            self.condition,
            self.message,
            self.started,
            self.ended,
            self.folder,
        )

    def _experiment(self, event: Event) -> None:
        self.experiment = parse_experiment(event["experiment"], event["config_maps"])
        self.options = event["options"]
        self.started = event["time"]

    def _counts(self, event: Event) -> None:
        assert self.experiment is not None
        given = {name: value for name, value in event["counts"].items() if value is not None}
        raw = without_counts(self.experiment.raw)
        self.experiment = parse_experiment({**raw, "spec": {**raw["spec"], **given}}, self.experiment.config_maps)
        self.condition, self.message, self.ended = "Running", "Experiment is running", ""

    def _created(self, event: Event) -> None:
        name = event["trial"]
        folder = self.folder / TRIALS_FOLDER / name
        rule = StopRule(**event["stop_rule"]) if event.get("stop_rule") else None
        self.trials[name] = Trial(name, event["number"], event["assignments"], folder=folder, stop_rule=rule)

    def _started(self, event: Event) -> None:
        trial = self.trials[event["trial"]]
        self._change(event, condition=Condition.RUNNING, started=trial.started or event["time"])

    def _ended(self, event: Event) -> None:
        self._change(
            event,
            condition=Condition(event["condition"]),
            reason=event["reason"],
            exit_code=event["exit_code"],
            observation={metric["name"]: Metric(**metric) for metric in event["observation"]},
            seconds=event["seconds"],
            ended=event["time"],
            first_values=tuple(event.get("first_values", ())),
        )

    def _finished(self, event: Event) -> None:
        self.condition, self.message, self.ended = event["condition"], event["message"], event["time"]

    def _change(self, event: Event, **changes: Any) -> None:
        self.trials[event["trial"]] = replace(self.trials[event["trial"]], **changes)


def open_run(folder: Path) -> Run:
    """The run in the folder RUN, as its journal tells it; also while it runs.

    Raises:
        RunFolderError: no run lies there, or its journal is damaged.
    """
    events = read_events(folder / JOURNAL_FILE)
    if not events or events[0]["event"] != "experiment":
        raise RunFolderError(f"{folder}: no run lies here (no {JOURNAL_FILE}); boxtune run makes one")
    history = History(folder)
    for event in events:
        history.apply(event)
    run = history.run()
    return run if run.ended or is_locked(folder / LOCK_FILE) else _as_cut_off(run)


def _as_cut_off(run: Run) -> Run:
    """A run that no runner is at: what was running waits."""

    def waiting(trial: Trial) -> Trial:
        return replace(trial, condition=Condition.CREATED) if trial.condition is Condition.RUNNING else trial

    return replace(
        run,
        trials=tuple(map(waiting, run.trials)),
        baseline=waiting(run.baseline) if run.baseline is not None else None,
        message="interrupted; the same boxtune run goes on",
    )


def is_locked(file: Path) -> bool:
    """Whether a process holds the lock of `file`; looked up without taking it, which could get in a runner's way."""
    try:
        place = f":{file.stat().st_ino} "
        return any(" FLOCK " in line and place in line for line in Path("/proc/locks").read_text().splitlines())
    except OSError:
        return False


def without_counts(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An Experiment without what may be edited while it runs."""
    spec = {name: value for name, value in raw["spec"].items() if name not in COUNT_FIELDS}
    return {**raw, "spec": spec}
