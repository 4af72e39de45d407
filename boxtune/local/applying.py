"""From a journal's events to the run that they tell of: `apply(state, event)`, a pure function."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import singledispatch
from pathlib import Path

from kubeflow_katib_api.models import V1beta1Experiment

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.experiment.job import is_job, job_shape_problems
from boxtune.experiment.shape import shape_problems
from boxtune.experiment.space import inside
from boxtune.local.events import (
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
from boxtune.local.state import RUNNING, TRIALS_FOLDER, RunState, without_counts
from boxtune.problems import errors_of
from boxtune.runs.run import RunCondition
from boxtune.runs.trial import Attempt, Condition, Role, Trial, baseline_name

_MOST_TRIALS = 2**31  # what Katib's counts can hold
_MOST_STEPS = 2**31  # what the API's num_steps can hold


class OutOfOrderError(ValueError):
    """An event cannot follow what happened before; the text says why."""


def apply(state: RunState | None, event: Event, folder: Path) -> RunState:
    """The state after `event` of the run in `folder`; None is the state before the first.

    Raises:
        OutOfOrderError: it cannot follow what happened before.
    """
    if isinstance(event, Begun):
        if state is not None:
            raise OutOfOrderError("the run was begun before")
        volumes = {name: Path(place) for name, place in (event.volumes or {}).items()}
        experiment = _experiment(event)
        _look_at_prior(event, experiment)
        return RunState(folder, experiment, event.options, event.time, volumes=volumes, warm_start=event.warm_start)
    if state is None:
        raise OutOfOrderError("the run was not begun before")
    return _after(event, state)


def _look_at_prior(event: Begun, experiment: Experiment) -> None:
    """Raises OutOfOrderError where an earlier trial has no values that this run's could have, or measured nothing."""
    for run in event.warm_start:
        for trial in run.trials:
            shares = [result.share for result in trial.results]
            is_measured = bool(shares) and all(0 < share <= 1 for share in shares)
            if not is_measured or not inside(experiment.parameters, trial.assignments):
                raise OutOfOrderError(f"its warm start is none: {trial.name} of {run.source}")


def _experiment(event: Begun) -> Experiment:
    wrong = errors_of(list(shape_problems(V1beta1Experiment, event.experiment, "")))
    trial = (event.experiment.get("spec") or {}).get("trialTemplate") or {} if not wrong else {}
    if is_job(trial.get("trialSpec") or {}):
        wrong = list(job_shape_problems(trial["trialSpec"], "spec.trialTemplate.trialSpec"))
    if wrong:
        raise OutOfOrderError(f"its Experiment is none: {wrong[0].placed}")
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
    return replace(_reopened(state), experiment=changed, events=state.events + 1)


@_after.register
def _(event: Created, state: RunState) -> RunState:
    if event.trial in state.trials:
        raise OutOfOrderError(f"{event.trial} was made before")
    if Path(event.trial).name != event.trial:
        raise OutOfOrderError(f"{json.dumps(event.trial)} is no name of a trial")
    role = event.role or (Role.BASELINE if event.number is None else Role.SUGGESTED)
    if role is Role.SUGGESTED:
        _look_at_values(event, state)
    elif (
        role is Role.REPEAT
        and event.repeats not in state.trials
        and event.repeats != baseline_name(state.experiment.name)
    ):
        raise OutOfOrderError(f"{event.trial} repeats {event.repeats or 'nothing'}, which was not made before")
    trial = Trial(
        event.trial,
        role,
        event.number,
        event.assignments,
        event.seed,
        folder=state.folder / TRIALS_FOLDER / event.trial,
        stop_rule=event.stop_rule,
        same_as=event.same_as,
        repeats=event.repeats,
        steps=event.steps,
        created=state.events,
    )
    _look_at_steps(event)
    return _with(state if role is Role.REPEAT else _reopened(state), trial)


def _look_at_values(event: Created, state: RunState) -> None:
    """Raises OutOfOrderError where a suggested trial has no number, or a parameter no value that it could have."""
    if event.number is None or not 0 <= event.number < _MOST_TRIALS:
        raise OutOfOrderError(f"{event.trial} has no number that a trial can have")
    for spec in state.experiment.parameters:
        value = event.assignments.get(spec.name)
        if value is None or not spec.allows(value):
            raise OutOfOrderError(f"{event.trial} has no value of {spec.name} that it can have")


def _look_at_steps(event: Created | Started) -> None:
    if event.steps is not None and not 0 < event.steps < _MOST_STEPS:
        raise OutOfOrderError(f"{event.trial} has no number of steps that a training can have")


@_after.register
def _(event: Started, state: RunState) -> RunState:
    trial = _trial(state, event.trial)
    if trial.condition.ended and trial.condition is not Condition.EARLY_STOPPED and not trial.forgotten:
        raise OutOfOrderError(f"{event.trial} had ended before")
    _look_at_steps(event)
    attempt = Attempt(event.time, steps=event.steps)
    begun = replace(
        trial,
        condition=Condition.RUNNING,
        reason="",
        attempts=(*trial.attempts, attempt),
        steps=event.steps,
        stop_rule=trial.stop_rule if trial.condition.open else None,  # whoever goes on with it wants its end
        completed=None,
        out_of_memory=False,
        forgotten=False,
    )
    return _with(state if trial.role is Role.REPEAT else _reopened(state), begun)


@_after.register
def _(event: Ended, state: RunState) -> RunState:
    trial = _trial(state, event.trial)
    if not trial.condition.open:
        raise OutOfOrderError(f"{event.trial} had ended before")
    observation = {metric.name: metric for metric in event.observation}
    attempts = trial.attempts
    if attempts:  # where another's result was taken over, there was no process
        ended = replace(
            attempts[-1], ended=event.time, seconds=event.seconds, exit_code=event.exit_code, observation=observation
        )
        attempts = (*attempts[:-1], ended)
    trial = replace(
        trial,
        condition=event.condition,
        reason=event.reason,
        attempts=attempts,
        observation=observation,
        first_values=event.first_values,
        out_of_memory=event.out_of_memory,
        completed=state.events if event.condition.ended else None,
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


@_after.register
def _(event: MemoryForgotten, state: RunState) -> RunState:
    trials = state.trials
    for trial in state.trials.values():
        if trial.out_of_memory:
            trials = trials.set(trial.name, replace(trial, forgotten=True))
    return replace(_reopened(state), trials=trials, events=state.events + 1)


@_after.register
def _(event: Confirmed, state: RunState) -> RunState:
    found = event.confirmation
    named = (name for each in found.samples for name in each.values)
    unknown = next((name for name in named if name not in state.trials), None)
    if unknown is not None:
        raise OutOfOrderError(f"{unknown} was not made before")
    if not found.is_whole:
        raise OutOfOrderError("too few repeats to confirm anything")
    if not found.is_sound:
        raise OutOfOrderError("its values have no interval")
    return replace(state, confirmation=found, events=state.events + 1)


def _reopened(state: RunState) -> RunState:
    """A run that was over and goes on: with a larger budget, or one of its trials."""
    if not state.ended:
        return state
    return replace(state, condition=RunCondition.RUNNING, message=RUNNING, ended="")


def _trial(state: RunState, name: str) -> Trial:
    trial = state.trials.get(name)
    if trial is None:
        raise OutOfOrderError(f"{name} was not made before")
    return trial


def _with(state: RunState, trial: Trial, seconds: float | None = None) -> RunState:
    """The state one event later, with `trial` as it is now; made once an event, since a long run has thousands."""
    return replace(
        state,
        trials=state.trials.set(trial.name, trial),
        seconds=state.seconds if seconds is None else seconds,
        events=state.events + 1,
    )
