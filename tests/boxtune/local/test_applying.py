"""`apply`: what can follow what, and what comes of it."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from boxtune.local.applying import OutOfOrderError, apply
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
from boxtune.local.state import RunState
from boxtune.runs.confirmation import Confirmation, Sample
from boxtune.runs.run import RunCondition
from boxtune.runs.trial import Condition, Metric, Role, StopRule
from tests.experiments import shell_experiment

FOLDER, NOON = Path("run"), "2026-11-24T12:00:00.000000Z"
BEGUN = Begun(time=NOON, experiment=shell_experiment(), config_maps={}, options={}, format=1)
CREATED = Created(time=NOON, trial="shell-0001", number=0, assignments={"x": "0.5"})
STARTED = Started(time=NOON, trial="shell-0001")
ENDED = Ended(
    time=NOON,
    trial="shell-0001",
    condition=Condition.SUCCEEDED,
    reason="",
    exit_code=0,
    observation=(Metric("score", "0.5", "0.5", "0.5"),),
    seconds=2.0,
    seconds_spent=3.0,
)
FINISHED = Finished(time=NOON, condition=RunCondition.SUCCEEDED, message="done", seconds_spent=4.0)


def _with_pod(spec: object) -> Begun:
    experiment = copy.deepcopy(shell_experiment())
    experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"] = spec
    return replace(BEGUN, experiment=experiment)


def told(*events: Event) -> RunState:
    state = None
    for event in events:
        state = apply(state, event, FOLDER)
    assert state is not None
    return state


def test_a_trial_s_way() -> None:
    states = [told(BEGUN, CREATED), told(BEGUN, CREATED, STARTED), told(BEGUN, CREATED, STARTED, ENDED)]
    trials = [state.trials["shell-0001"] for state in states]
    assert [trial.condition for trial in trials] == [Condition.CREATED, Condition.RUNNING, Condition.SUCCEEDED]
    assert [len(trial.attempts) for trial in trials] == [0, 1, 1]
    assert (trials[2].created, trials[2].completed) == (1, 3)  # places among the events
    assert states[2].seconds == 3.0


def test_a_trial_that_was_cut_off_has_another_attempt() -> None:
    trial = told(BEGUN, CREATED, STARTED, STARTED, ENDED).trials["shell-0001"]
    assert [attempt.exit_code for attempt in trial.attempts] == [None, 0]


def test_a_result_that_was_taken_over_had_no_process() -> None:
    assert told(BEGUN, CREATED, ENDED).trials["shell-0001"].condition is Condition.SUCCEEDED


def test_the_state_before_is_left_as_it_was() -> None:
    before = told(BEGUN, CREATED)
    apply(before, STARTED, FOLDER)
    assert before == told(BEGUN, CREATED)


def test_edited_counts_open_a_run_that_was_over() -> None:
    edited = CountsChanged(time=NOON, counts={"maxTrialCount": 9, "parallelTrialCount": None})
    state = told(BEGUN, CREATED, STARTED, ENDED, FINISHED, edited)
    assert (state.experiment.counts.most, state.condition, state.ended) == (9, RunCondition.RUNNING, "")


def test_a_paused_trial_goes_on_and_keeps_what_each_rung_measured() -> None:
    begun, paused = replace(STARTED, steps=40), replace(ENDED, condition=Condition.PAUSED)
    trial = told(BEGUN, replace(CREATED, steps=40), begun, paused).trials["shell-0001"]
    assert (trial.condition.ended, trial.condition.open, trial.completed, trial.steps) == (False, False, None, 40)
    whole = replace(ENDED, observation=(Metric("score", "0.9", "0.9", "0.9"),))
    trial = told(BEGUN, CREATED, begun, paused, STARTED, whole).trials["shell-0001"]
    assert [each.steps for each in trial.attempts] == [40, None]
    assert [each.observation["score"].latest for each in trial.attempts] == ["0.5", "0.9"]
    assert (trial.condition, trial.steps, trial.completed) == (Condition.SUCCEEDED, None, 5)


def test_a_trial_stopped_early_may_go_on_and_opens_its_run_again() -> None:
    rule = StopRule(0.7, 1)
    stopped = replace(ENDED, condition=Condition.EARLY_STOPPED)
    state = told(BEGUN, replace(CREATED, stop_rule=rule), STARTED, stopped, FINISHED, STARTED)
    trial = state.trials["shell-0001"]
    assert (trial.condition, trial.stop_rule, state.condition) == (Condition.RUNNING, None, RunCondition.RUNNING)
    assert told(BEGUN, replace(CREATED, stop_rule=rule), STARTED, STARTED).trials["shell-0001"].stop_rule == rule


@pytest.mark.parametrize(("number", "role"), [(None, Role.BASELINE), (0, Role.SUGGESTED)])
def test_the_number_tells_the_role_in_old_journals(number: int | None, role: Role) -> None:
    created = Created(time=NOON, trial="shell-0001", number=number, assignments={"x": "0.5"})
    assert told(BEGUN, created).trials["shell-0001"].role is role


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ((CREATED,), "not begun"),
        ((BEGUN, BEGUN), "begun before"),
        ((BEGUN, STARTED), "shell-0001 was not made"),
        ((BEGUN, ENDED), "shell-0001 was not made"),
        ((BEGUN, CREATED, CREATED), "shell-0001 was made before"),
        ((BEGUN, CREATED, STARTED, ENDED, ENDED), "shell-0001 had ended"),
        ((BEGUN, CREATED, STARTED, ENDED, STARTED), "shell-0001 had ended"),
        ((BEGUN, CREATED, replace(STARTED, steps=0)), "no number of steps"),
        ((BEGUN, replace(CREATED, steps=2**40)), "no number of steps"),
        ((_with_pod(True),), "trialSpec.spec.template.spec"),
        ((Begun(time=NOON, experiment={"kind": 3}, config_maps={}, options={}),), "its Experiment is none"),
        ((Begun(time=NOON, experiment={}, config_maps={}, options={}),), "its Experiment is none"),
        ((Begun(time=NOON, experiment={**BEGUN.experiment, "spec": None}, config_maps={}, options={}),), "is none"),
    ],
)
def test_what_cannot_follow_is_refused(events: tuple[Event, ...], says: str) -> None:
    with pytest.raises(OutOfOrderError, match=says):
        told(*events)


def test_what_ran_out_of_memory_until_now_is_forgotten() -> None:
    short = replace(ENDED, condition=Condition.FAILED, exit_code=3, observation=(), out_of_memory=True)
    second = replace(CREATED, trial="shell-0002", number=1)
    forgotten = MemoryForgotten(time=NOON)
    state = told(BEGUN, CREATED, STARTED, short, FINISHED, forgotten, second, replace(short, trial="shell-0002"))
    first, other = (state.trials[name] for name in ("shell-0001", "shell-0002"))
    assert (first.out_of_memory, first.forgotten) == (True, True)
    assert (other.out_of_memory, other.forgotten) == (True, False)
    assert state.condition is RunCondition.RUNNING, "it goes on"
    again = told(BEGUN, CREATED, STARTED, short, forgotten, STARTED).trials["shell-0001"]
    assert (again.condition, again.out_of_memory, again.forgotten) == (Condition.RUNNING, False, False)
    with pytest.raises(OutOfOrderError, match="had ended before"):
        told(BEGUN, CREATED, STARTED, short, STARTED)


def test_repeats_are_no_trials_of_the_search() -> None:
    repeat = replace(CREATED, trial="shell-0001-repeat-1", number=None, role=Role.REPEAT, seed=3, repeats="shell-0001")
    of_base = replace(repeat, trial="shell-baseline-repeat-1", repeats="shell-baseline", assignments={})
    state = told(BEGUN, CREATED, STARTED, ENDED, FINISHED, repeat, of_base, replace(STARTED, trial=repeat.trial))
    run = state.run()
    assert [trial.name for trial in run.trials] == ["shell-0001"]
    assert [(trial.name, trial.seed) for trial in run.repeats] == [(repeat.trial, 3), (of_base.trial, 3)]
    assert run.ended, "a run that is over stays so"
    with pytest.raises(OutOfOrderError, match="repeats shell-0007, which was not made before"):
        told(BEGUN, replace(repeat, repeats="shell-0007"))


def test_a_confirmation_needs_its_repeats() -> None:
    repeats = [
        replace(CREATED, trial=f"shell-0001-repeat-{number}", number=None, role=Role.REPEAT, repeats="shell-0001")
        for number in (1, 2)
    ]
    won = Sample("shell-0001", {each.trial: 0.5 for each in repeats})
    confirmed = Confirmed(time=NOON, confirmation=Confirmation("score", True, (), won, None, "nothing there"))
    assert told(BEGUN, CREATED, *repeats, confirmed).run().confirmation == confirmed.confirmation
    with pytest.raises(OutOfOrderError, match="shell-0001-repeat-2 was not made before"):
        told(BEGUN, CREATED, repeats[0], confirmed)
    few = replace(confirmed.confirmation, winner=Sample("shell-0001", {"shell-0001-repeat-1": 0.5}))
    for value in (float("inf"), float("nan"), 1e308):
        odd = Sample("shell-0001", {repeats[0].trial: value, repeats[1].trial: -0.5})
        with pytest.raises(OutOfOrderError, match="no interval"):
            told(BEGUN, CREATED, *repeats, replace(confirmed, confirmation=replace(confirmed.confirmation, winner=odd)))
    with pytest.raises(OutOfOrderError, match="too few repeats"):
        told(BEGUN, CREATED, *repeats, replace(confirmed, confirmation=few))
