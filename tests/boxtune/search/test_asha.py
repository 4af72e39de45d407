"""asha: which trial is promoted, what is begun, and what a budget in steps comes to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Objective
from boxtune.experiment.space import Assignments, ParameterSpec, inside
from boxtune.runs.trial import Attempt, Condition, Metric, Role, Trial
from boxtune.search.catalogue import create_policy
from boxtune.search.policy import Policy, Suggestion, Surroundings
from boxtune.search.rungs import read_shares, rung_steps, shortest_training
from tests.boxtune.search.story import SMALL, SPACE, experiment
from tests.boxtune.search.workers import Workers

WHOLE = 90  # rungs at 10, 30 and 90
DEFAULT = {"rate": "0.0001", "kind": "a"}
NARROW = (SPACE[0], SPACE[10])  # a rate on a logarithmic scale and a choice
MAP = Objective("mAP", True, None, ("total_loss",), {"mAP": "max", "total_loss": "latest"})
LESS = Objective("seconds", False, None, ("total_loss",), {"seconds": "min", "total_loss": "latest"})


def whole(assignments: Assignments) -> int:
    return WHOLE


def policy(
    most: int | None = None,
    most_steps: int | None = None,
    objective: Objective = MAP,
    default: Assignments | None = None,
    space: tuple[ParameterSpec, ...] = NARROW,
    settings: Mapping[str, str] | None = None,
) -> Policy:
    searched = experiment("asha", space, settings)
    searched = replace(searched, objective=objective, counts=replace(searched.counts, most=most))
    return create_policy(searched, Surroundings(whole, most_steps, default))


def at_rungs(number: int, *values: float, condition: Condition | None = None, losses: bool = False) -> Trial:
    """Trial `number` after as many rungs as there are values, of mAP or of the loss alone."""
    attempts = []
    for steps, value in zip((10, 30, None), values, strict=False):
        text = repr(value)
        found = {"mAP": Metric("mAP", "0.0001", "0.0001", "0.0001") if losses else Metric("mAP", text, text, text)}
        if losses:
            found["total_loss"] = Metric("total_loss", text, text, text)
        attempts.append(Attempt("begun", "ended", steps, 1.0, 0, found))
    ended = Condition.SUCCEEDED if len(values) == 3 else Condition.PAUSED
    assignments = {"rate": repr(1e-5 * (number + 1)), "kind": "a"}
    return Trial(
        f"t-{number}",
        Role.SUGGESTED,
        number,
        assignments,
        condition=condition or ended,
        attempts=tuple(attempts),
        observation=attempts[-1].observation,
        created=number,
    )


def promoted(suggestion: Suggestion | None) -> tuple[str, int | None]:
    assert suggestion is not None
    return suggestion.goes_on_from, suggestion.steps


def test_the_best_of_three_is_promoted_and_of_six_the_best_two() -> None:
    search = policy()
    two = [at_rungs(0, 0.1), at_rungs(1, 0.3)]
    assert promoted(search.suggest(two)) == ("", 10)
    three = [*two, at_rungs(2, 0.2)]
    assert promoted(search.suggest(three)) == ("t-1", 30)
    above = [at_rungs(0, 0.1), at_rungs(1, 0.3, 0.35), at_rungs(2, 0.2)]
    assert promoted(search.suggest(above)) == ("", 10)
    six = [*above, at_rungs(3, 0.25), at_rungs(4, 0.15), at_rungs(5, 0.05)]
    assert promoted(search.suggest(six)) == ("t-3", 30)


def test_the_highest_rung_is_promoted_from_first_and_to_the_whole_schedule() -> None:
    trials = [
        at_rungs(0, 0.1, 0.3),
        at_rungs(1, 0.2, 0.4),
        at_rungs(2, 0.3, 0.2),
        *(at_rungs(n, 0.4) for n in (3, 4, 5)),
    ]
    suggestion = policy().suggest(trials)
    assert suggestion == Suggestion(1, trials[1].assignments, None, "t-1")


def test_a_failed_trial_counts_as_the_worst() -> None:
    failed = replace(at_rungs(2, 0.9), condition=Condition.FAILED, observation={})
    assert promoted(policy().suggest([at_rungs(0, 0.1), at_rungs(1, 0.2), failed])) == ("t-1", 30)
    never_ran = replace(failed, attempts=())
    assert promoted(policy().suggest([at_rungs(0, 0.1), at_rungs(1, 0.2), never_ran])) == ("t-1", 30)
    all_failed = [replace(failed, name=f"t-{number}", number=number) for number in range(6)]
    assert promoted(policy().suggest(all_failed)) == ("", 10)


def test_an_attempt_that_was_cut_off_is_no_result() -> None:
    cut = replace(at_rungs(2, 0.9), condition=Condition.RUNNING)
    cut = replace(cut, attempts=(replace(cut.attempts[0], ended="", observation={}), Attempt("again", "", 10)))
    trials = [at_rungs(0, 0.1), at_rungs(1, 0.2), cut]
    assert promoted(policy().suggest(trials)) == ("", 10)
    done = replace(cut, condition=Condition.PAUSED, attempts=(cut.attempts[0], at_rungs(2, 0.9).attempts[0]))
    assert promoted(policy().suggest([*trials[:2], done])) == ("t-2", 30)


def test_where_all_have_found_nothing_the_loss_ranks() -> None:
    losses = [at_rungs(0, 1.5, losses=True), at_rungs(1, 1.1, losses=True), at_rungs(2, 1.9, losses=True)]
    assert promoted(policy().suggest(losses)) == ("t-1", 30)


def test_what_clears_the_noise_comes_before_what_does_not() -> None:
    losses = [at_rungs(0, 1.5, losses=True), at_rungs(1, 1.1, losses=True)]
    found = replace(at_rungs(2, 0.02), attempts=(_with_loss(at_rungs(2, 0.02).attempts[0], 1.8),))
    assert promoted(policy().suggest([*losses, found])) == ("t-2", 30)
    below = replace(at_rungs(2, 0.009), attempts=(_with_loss(at_rungs(2, 0.009).attempts[0], 1.8),))
    assert promoted(policy().suggest([*losses, below])) == ("t-1", 30)  # places 1.5 + 3 before 3 + 1 and 1.5 + 2


def _with_loss(attempt: Attempt, value: float) -> Attempt:
    return replace(attempt, observation={**attempt.observation, "total_loss": Metric("total_loss", *[repr(value)] * 3)})


def test_without_a_loss_or_with_an_objective_of_another_kind_the_objective_ranks() -> None:
    found = [at_rungs(0, 0.0001), at_rungs(1, 0.0003), at_rungs(2, 0.0002)]
    assert promoted(policy().suggest(found)) == ("t-1", 30)
    for objective, best in (
        (LESS, "t-0"),
        (replace(LESS, metric="img", maximize=True, strategies={"img": "max"}), "t-1"),
    ):
        trials = []
        for trial in found:
            text = trial.observation["mAP"].latest
            seen = {objective.metric: Metric(objective.metric, text, text, text)}
            attempt = _with_loss(replace(trial.attempts[0], observation=seen), 1.0 + float(text))
            trials.append(replace(trial, attempts=(attempt,), observation=attempt.observation))
        assert promoted(policy(objective=objective).suggest(trials)) == (best, 30)


def test_the_default_comes_first_unless_a_baseline_runs_it() -> None:
    search = policy(default=DEFAULT)
    assert search.suggest([]) == Suggestion(0, DEFAULT, 10)
    baseline = Trial("base", Role.BASELINE, None, DEFAULT, created=1)
    suggestion = search.suggest([baseline])
    assert suggestion is not None
    assert suggestion.number == 0
    assert suggestion.assignments != DEFAULT


def test_most_early_draws_are_near_the_default() -> None:
    """Within two fifths of the range of a default at its end: two of five at random, and most of those around it."""
    near = []
    for seed in range(60):
        search = policy(default={"rate": "0.0009", "kind": "a"}, settings={"random_state": str(seed)})
        suggestion = search.suggest([at_rungs(0, 0.1)])
        assert suggestion is not None
        near.append(float(suggestion.assignments["rate"]) > 10**-3.8)
    assert sum(near) > 36


def rising(assignments: Assignments, number: int, step: int) -> Mapping[str, float] | None:
    """An mAP that is best at a rate of 1e-4, and none before a fifth of the training; every ninth trial fails."""
    if number % 9 == 4:
        return None
    off = abs(np.log10(float(assignments["rate"])) + 4)
    share = step / WHOLE
    return {"mAP": 0.5 * share * np.exp(-off) if share > 0.2 else 0.0, "total_loss": 2 + off - share}


class Watched:
    """A policy that is asked twice, the second time with nothing in its memory."""

    def __init__(self, **what: object) -> None:
        self._what = what
        self._policy = policy(**what)  # type: ignore[arg-type]

    def suggest(self, trials: list[Trial]) -> Suggestion | None:
        suggestion = self._policy.suggest(trials)
        assert policy(**self._what).suggest(trials) == suggestion  # type: ignore[arg-type]
        return suggestion


@settings(deadline=None, max_examples=25)
@given(
    count=st.integers(1, 4),
    most=st.none() | st.integers(1, 20),
    most_steps=st.integers(WHOLE, 8 * WHOLE),
    default=st.none() | st.just(DEFAULT),
    seed=st.integers(0, 100),
)
def test_a_search_keeps_its_budget_trains_one_whole_and_wastes_no_worker(
    count: int, most: int | None, most_steps: int, default: Assignments | None, seed: int
) -> None:
    what = {"most": most, "most_steps": most_steps, "default": default, "settings": {"random_state": str(seed)}}

    def never_fails(assignments: Assignments, number: int, step: int) -> Mapping[str, float] | None:
        return rising(assignments, 0, step)

    workers = Workers(Watched(**what), never_fails, whole, count)  # type: ignore[arg-type]
    workers.run()
    trials = list(workers.trials.values())
    assert workers.spent <= most_steps
    assert any(trial.condition is Condition.SUCCEEDED for trial in trials)
    assert most is None or len(trials) <= most
    assert all(inside(NARROW, trial.assignments) for trial in trials)
    assert len({tuple(trial.assignments.values()) for trial in trials}) == len(trials)
    if workers.idle:  # from then on nothing new came: the counts or the steps left no room
        begun_then = sum(1 for trial in trials if int(trial.attempts[0].started) <= workers.idle[0])
        assert begun_then == len(trials)
    if default is not None:
        assert trials[0].assignments == default


def test_failures_do_not_end_a_search_before_one_is_whole() -> None:
    """The best fails each time that it is promoted: the next best takes its place."""

    def fails_above(assignments: Assignments, number: int, step: int) -> Mapping[str, float] | None:
        return None if step > 10 and number in (0, 1) else {"mAP": 0.5 - number / 10, "total_loss": 1.0}

    workers = Workers(policy(most=4), fails_above, whole)
    workers.run()
    conditions = [trial.condition for trial in workers.trials.values()]
    assert conditions == [Condition.FAILED, Condition.FAILED, Condition.SUCCEEDED, Condition.PAUSED]


def test_counts_alone_end_a_search_with_every_rung_promoted_from() -> None:
    workers = Workers(policy(most=9), lambda a, number, step: rising(a, 0, step), whole, 2)
    workers.run()
    furthest = [max(attempt.steps or WHOLE for attempt in trial.attempts) for trial in workers.trials.values()]
    assert len(furthest) == 9
    assert sum(steps >= 30 for steps in furthest) >= 3
    assert sum(steps == WHOLE for steps in furthest) >= 1


def test_the_rest_of_a_budget_in_steps_trains_one_more_whole() -> None:
    """Ten and a half trainings: what is left when no new one fits in is not left over."""
    workers = Workers(policy(most_steps=950), lambda a, number, step: rising(a, 0, step), whole)
    workers.run()
    paused = [trial for trial in workers.trials.values() if trial.condition is Condition.PAUSED]
    nearest = min(WHOLE - (trial.attempts[-1].steps or 0) for trial in paused)
    assert 0 <= 950 - workers.spent < nearest


def test_where_the_count_ends_a_search_the_rest_of_its_budget_is_used_all_the_same() -> None:
    workers = Workers(policy(most=3, most_steps=260), lambda a, number, step: rising(a, 0, step), whole)
    workers.run()
    furthest = sorted(max(attempt.steps or WHOLE for attempt in trial.attempts) for trial in workers.trials.values())
    assert furthest == [80, WHOLE, WHOLE] or workers.spent > 260 - WHOLE
    assert furthest[-2] == WHOLE


def test_a_finite_space_is_begun_once_each_and_promoted_from() -> None:
    workers = Workers(
        policy(space=SMALL), lambda a, number, step: {"mAP": float(a["rate"]), "total_loss": 1.0}, whole, 3
    )
    workers.run()
    trials = workers.trials.values()
    assert len({tuple(trial.assignments.values()) for trial in trials}) == len(trials) == 12
    assert any(trial.condition is Condition.SUCCEEDED for trial in trials)


def test_it_finds_the_better_ones() -> None:
    found = []
    for seed in range(5):
        settings = {"random_state": str(seed)}
        workers = Workers(policy(most_steps=8 * WHOLE, settings=settings), rising, whole, 2)
        workers.run()
        values = [trial.value(MAP) or 0 for trial in workers.trials.values() if trial.condition is Condition.SUCCEEDED]
        found.append(max(values))
    assert sorted(found)[1] > 0.4  # of 0.5; a rate at random has 0.31 in the median


def test_a_suggestion_after_a_hundred_trials_takes_less_than_half_a_second() -> None:
    dice = np.random.default_rng(0)
    search = policy(space=SPACE, settings={"random_share": "0", "eta": "1000"})
    drawn = Workers(search, lambda a, n, step: {"mAP": float(dice.random()), "total_loss": 1.0}, whole, 4)
    drawn.run(100)
    began = time.process_time()
    assert search.suggest(list(drawn.trials.values())) is not None
    assert time.process_time() - began < 0.5


def test_rungs_that_fall_on_the_same_step_are_refused_with_what_would_be_enough() -> None:
    searched = experiment("asha", NARROW)
    with pytest.raises(
        ExperimentError, match=r"1/9,1/3,1 fall on the same step of a training of 3 steps.*train 5 steps"
    ):
        create_policy(searched, Surroundings(lambda assignments: 3))


@pytest.mark.parametrize("text", ["1/9,1/3,1", "0.111, 0.333, 1", "1", "1/27,1/9,1/3,1", "0.98,0.99,1"])
def test_the_least_training_is_the_least(text: str) -> None:
    shares = read_shares(text)
    least = shortest_training(shares)
    assert all(rung_steps(shares, steps) is not None for steps in range(least, least + 300))
    assert least == 1 or rung_steps(shares, least - 1) is None


def test_shares_are_read_as_fractions_or_decimals() -> None:
    assert rung_steps(read_shares("1/9,1/3,1"), 378) == rung_steps(read_shares("0.111,.333,1.0"), 378) == (42, 126, 378)


def test_a_budget_below_one_training_is_refused() -> None:
    with pytest.raises(ExperimentError, match=r"89 steps are no whole training, which takes 90.*allow at least 90"):
        policy(most_steps=89)


def test_the_shortest_training_of_the_space_is_looked_at_before_any_trial() -> None:
    """Two parameters that shorten it together; a config that cannot be made is no length."""
    space = (ParameterSpec("epochs", "int", 1, 9), ParameterSpec("batch", "discrete", values=("8", "32", "1")))

    def schedule(assignments: Assignments) -> int | None:
        return None if assignments["batch"] == "1" else int(assignments["epochs"]) * 96 // int(assignments["batch"])

    with pytest.raises(ExperimentError, match="fall on the same step of a training of 3 steps"):
        create_policy(experiment("asha", space), Surroundings(schedule))
    enough = (ParameterSpec("epochs", "int", 3, 9), space[1])
    search = create_policy(experiment("asha", enough), Surroundings(schedule))
    workers = Workers(search, lambda a, number, step: {"m": 0.5}, lambda a: schedule(a) or 9)
    workers.run(20)
    assert {trial.assignments["batch"] for trial in workers.trials.values()} == {"8", "32", "1"}


def test_trials_whose_length_cannot_be_told_are_refused_when_they_are_wanted() -> None:
    search = create_policy(experiment("asha", NARROW))  # as `boxtune check` does without a config
    with pytest.raises(ExperimentError, match="how many steps these trials have cannot be told"):
        search.suggest([])
    with pytest.raises(ExperimentError, match="how many steps these trials have cannot be told"):
        create_policy(experiment("asha", NARROW), Surroundings(lambda assignments: None))
