"""From a journal's events to the run that they tell of: `apply(state, event)`, a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import singledispatch
from operator import attrgetter
from pathlib import Path

import immutables
from kubeflow_katib_api.models import V1beta1Experiment

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.experiment.shape import shape_problems
from boxtune.experiment.source import Json, JsonObject
from boxtune.local.events import Begun, CountsChanged, Created, Ended, Event, Finished, Started
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Attempt, Condition, Role, Trial

TRIALS_FOLDER = "trials"
COUNT_FIELDS = ("parallelTrialCount", "maxTrialCount", "maxFailedTrialCount")
_RUNNING = "Experiment is running"


class OutOfOrderError(ValueError):
    """An event cannot follow what happened before; the text says why."""


@dataclass(frozen=True)
class RunState:
    """A run, as far as its journal tells.

    Attributes:
        folder: where the run lies.
        experiment: with its counts as they are now.
        options: what of the command line must stay the same.
        trials: by name, in no order; a map that shares what it can with the one before, so that thousands of events
            cost little.
        condition, message, started, ended: of the run; `ended` is empty while it is not over.
        seconds: that runners have spent on it.
        events: how many there were.
    """

    folder: Path
    experiment: Experiment
    options: Mapping[str, Json]
    started: str
    trials: immutables.Map[str, Trial] = immutables.Map()  # noqa: RUF009 (immutable)
    condition: RunCondition = RunCondition.RUNNING
    message: str = _RUNNING
    ended: str = ""
    seconds: float = 0.0
    events: int = 1

    def in_order(self) -> list[Trial]:
        """The trials in the order of their creation."""
        return sorted(self.trials.values(), key=attrgetter("created"))

    def run(self) -> Run:
        """The run."""
        trials = self.in_order()
        return Run(
            self.experiment,
            tuple(trial for trial in trials if trial.role is Role.SUGGESTED),
            next((trial for trial in trials if trial.is_baseline), None),
            self.condition,
            self.message,
            self.started,
            self.ended,
            self.folder,
        )


def apply(state: RunState | None, event: Event, folder: Path) -> RunState:
    """The state after `event` of the run in `folder`; None is the state before the first.

    Raises:
        OutOfOrderError: it cannot follow what happened before.
    """
    if isinstance(event, Begun):
        if state is not None:
            raise OutOfOrderError("the run was begun before")
        return RunState(folder, _experiment(event), event.options, event.time)
    if state is None:
        raise OutOfOrderError("the run was not begun before")
    return _after(event, state)


def _experiment(event: Begun) -> Experiment:
    wrong = next(shape_problems(V1beta1Experiment, event.experiment, ""), None)
    if wrong is not None:
        raise OutOfOrderError(f"its Experiment is none: {wrong.placed}")
    try:
        return parse_experiment(event.experiment, event.config_maps)
    except ExperimentError as unusable:
        raise OutOfOrderError(f"its Experiment is none: {unusable}") from None


@singledispatch
def _after(event: Event, state: RunState) -> RunState:
    raise OutOfOrderError(f"{event.kind} is no event of a run")


@_after.register
def _(event: CountsChanged, state: RunState) -> RunState:
    given = {name: value for name, value in event.counts.items() if value is not None}
    raw = without_counts(state.experiment.raw)
    changed = parse_experiment({**raw, "spec": {**raw["spec"], **given}}, state.experiment.config_maps)
    return replace(
        state,
        experiment=changed,
        condition=RunCondition.RUNNING,
        message=_RUNNING,
        ended="",
        events=state.events + 1,
    )


@_after.register
def _(event: Created, state: RunState) -> RunState:
    if event.trial in state.trials:
        raise OutOfOrderError(f"{event.trial} was made before")
    role = event.role or (Role.BASELINE if event.number is None else Role.SUGGESTED)
    trial = Trial(
        event.trial,
        role,
        event.number,
        event.assignments,
        event.seed,
        folder=state.folder / TRIALS_FOLDER / event.trial,
        stop_rule=event.stop_rule,
        same_as=event.same_as,
        created=state.events,
    )
    return _with(state, trial)


@_after.register
def _(event: Started, state: RunState) -> RunState:
    trial = _open_trial(state, event.trial)
    attempt = Attempt(event.time, steps=event.steps)
    return _with(state, replace(trial, condition=Condition.RUNNING, attempts=(*trial.attempts, attempt)))


@_after.register
def _(event: Ended, state: RunState) -> RunState:
    trial = _open_trial(state, event.trial)
    *earlier, last = trial.attempts or (Attempt(event.time),)  # one that took over another's result had no process
    ended = replace(last, ended=event.time, seconds=event.seconds, exit_code=event.exit_code)
    trial = replace(
        trial,
        condition=event.condition,
        reason=event.reason,
        attempts=(*earlier, ended),
        observation={metric.name: metric for metric in event.observation},
        first_values=event.first_values,
        completed=state.events,
    )
    return _with(state, trial, max(state.seconds, event.seconds_spent))


@_after.register
def _(event: Finished, state: RunState) -> RunState:
    return replace(
        state,
        condition=event.condition,
        message=event.message,
        ended=event.time,
        seconds=max(state.seconds, event.seconds_spent),
        events=state.events + 1,
    )


def _open_trial(state: RunState, name: str) -> Trial:
    trial = state.trials.get(name)
    if trial is None:
        raise OutOfOrderError(f"{name} was not made before")
    if trial.condition.ended:
        raise OutOfOrderError(f"{name} had ended before")
    return trial


def _with(state: RunState, trial: Trial, seconds: float | None = None) -> RunState:
    """The state one event later, with `trial` as it is now; made once an event, since a long run has thousands."""
    return replace(
        state,
        trials=state.trials.set(trial.name, trial),
        seconds=state.seconds if seconds is None else seconds,
        events=state.events + 1,
    )


def without_counts(raw: JsonObject) -> dict[str, Json]:
    """An Experiment without what may be edited while it runs."""
    spec = {name: value for name, value in raw["spec"].items() if name not in COUNT_FIELDS}
    return {**raw, "spec": spec}
