"""`apply`: what can follow what, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxtune.local.events import Begun, CountsChanged, Created, Ended, Event, Finished, Started
from boxtune.local.state import OutOfOrderError, RunState, apply
from boxtune.runs.run import RunCondition
from boxtune.runs.trial import Condition, Metric, Role
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


@pytest.mark.parametrize(("number", "role"), [(None, Role.BASELINE), (0, Role.SUGGESTED)])
def test_the_number_tells_the_role_in_old_journals(number: int | None, role: Role) -> None:
    created = Created(time=NOON, trial="shell-0001", number=number, assignments={})
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
        ((Begun(time=NOON, experiment={"kind": 3}, config_maps={}, options={}),), "its Experiment is none"),
        ((Begun(time=NOON, experiment={}, config_maps={}, options={}),), "its Experiment is none"),
        ((Begun(time=NOON, experiment={**BEGUN.experiment, "spec": None}, config_maps={}, options={}),), "is none"),
    ],
)
def test_what_cannot_follow_is_refused(events: tuple[Event, ...], says: str) -> None:
    with pytest.raises(OutOfOrderError, match=says):
        told(*events)
