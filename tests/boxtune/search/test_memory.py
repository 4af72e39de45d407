"""What ran out of memory, and what is as large or larger, is not tried again: by any algorithm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from boxtune.experiment.experiment import Experiment
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.runs.borders import borders
from boxtune.runs.trial import Attempt, Condition, Metric, Role, Trial
from boxtune.search.catalogue import ALGORITHMS, create_policy
from boxtune.search.memory import Memory
from boxtune.search.policy import Policy, Suggestion, Surroundings
from tests.boxtune.search.story import SHORT, experiment, value_of
from tests.boxtune.search.workers import Workers
from trial_entry.pipeline_config.footprint import Footprint

SPACE = (
    ParameterSpec("rate", "double", 1e-5, 1e-3, None, (), "logUniform"),
    ParameterSpec("iou", "double", 0.4, 0.7),
    ParameterSpec("batch", "discrete", values=("8", "16", "32", "64")),
    ParameterSpec("size", "discrete", values=("320", "480", "640")),
    ParameterSpec("kind", "categorical", values=("small", "large")),
)
GRID = (  # the largest first
    ParameterSpec("batch", "discrete", values=("64", "32", "16", "8")),
    ParameterSpec("size", "discrete", values=("640", "480", "320")),
    ParameterSpec("rate", "discrete", values=("0.0001", "0.0002", "0.0003")),
    ParameterSpec("iou", "discrete", values=("0.5", "0.6")),
    ParameterSpec("kind", "categorical", values=("small", "large")),
)
ROOM = {"small": 16 * 480 * 480, "large": 16 * 320 * 320}  # pixels of a batch that still fit
SETTINGS = {
    "hyperband": {"r_l": "9", "resource_name": "layers"},
    "bayesianoptimization": {"base_estimator": "ET", "acq_func": "EI"},  # a forest is faster
}


def footprint(assignments: Assignments) -> Footprint:
    edge = int(assignments["size"])
    return Footprint(assignments["kind"], assignments["kind"], int(assignments["batch"]), edge, edge)


def fits(assignments: Assignments) -> bool:
    return footprint(assignments).load <= ROOM[assignments["kind"]]


def searched(algorithm: str) -> Experiment:
    space = GRID if algorithm == "grid" else SPACE
    epochs = (ParameterSpec("layers", "int", 1, 9),) if algorithm == "hyperband" else ()
    return experiment(algorithm, (*space, *epochs), SETTINGS.get(algorithm, {}))


class Machine(Workers):
    """Workers on a machine whose memory holds what `fits`."""

    def _end_next(self) -> None:
        super()._end_next()
        *_, (now, spent, ended) = self.ended
        if ended.condition is Condition.FAILED and not self.room(ended.assignments):
            short = replace(ended, out_of_memory=True)
            self.trials[ended.name], self.ended[-1] = short, (now, spent, short)

    room: Callable[[Assignments], bool] = staticmethod(fits)


class Watched:
    """A policy that is a function of the trials: one that has seen none of them suggests the same."""

    def __init__(self, make: Callable[[], Policy]) -> None:
        self._make, self._policy = make, make()

    def suggest(self, trials: Sequence[Trial]) -> Suggestion | None:
        suggestion = self._policy.suggest(trials)
        assert self._make().suggest(trials) == suggestion
        return suggestion


def machine(algorithm: str, room: Callable[[Assignments], bool] = fits, workers: int = 1) -> Machine:
    surroundings = Surroundings(lambda assignments: 9, footprint=footprint)
    policy = Watched(lambda: create_policy(searched(algorithm), surroundings))

    def measured(assignments: Assignments, number: int, step: int) -> dict[str, float] | None:
        return {"m": value_of(assignments)} if room(assignments) else None

    made = Machine(policy, measured, lambda assignments: 9, workers)
    made.room = room
    return made


def short_of_memory(trials: list[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.out_of_memory]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_nothing_is_tried_that_is_as_large_as_what_ran_out_of_memory(algorithm: str) -> None:
    search = machine(algorithm)
    search.run(SHORT.get(algorithm, 40))
    trials = list(search.trials.values())
    if algorithm != "hyperband":  # which ends by itself
        assert len(search.ended) == SHORT.get(algorithm, 40), "what is left out is no trial"
    short = short_of_memory(trials)
    assert short, "the machine is too small for half of the space"
    for kind in ROOM:
        loads = [footprint(trial.assignments).load for trial in short if trial.assignments["kind"] == kind]
        assert all(later < earlier for earlier, later in pairwise(loads)), "each that ran out was the least so far"
    for place, trial in enumerate(trials):
        earlier = short_of_memory(trials[:place])
        same = [each for each in earlier if each.assignments["kind"] == trial.assignments["kind"]]
        assert all(footprint(trial.assignments).load < footprint(each.assignments).load for each in same)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_several_workers_stay_within_what_was_known_when_each_trial_was_begun(algorithm: str) -> None:
    search = machine(algorithm, workers=3)
    search.run(24 if algorithm != "bayesianoptimization" else 14)
    trials = list(search.trials.values())
    assert short_of_memory(trials)
    for trial in trials:
        known = [each for each in short_of_memory(trials) if (each.completed or 0) < trial.created]
        assert Memory(known, footprint).fits(trial.assignments)


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "grid"])
def test_a_search_ends_where_nothing_fits_any_more(algorithm: str) -> None:
    """The smallest of both models ran out of memory, though the space has no end."""
    search = machine(algorithm, lambda assignments: False)
    search.run(200)
    trials = list(search.trials.values())
    assert trials == short_of_memory(trials)
    assert len(trials) <= 2 * 12
    left = Memory(trials, footprint).left_out(searched(algorithm).parameters, 0)
    assert left == "nothing that is left of its space fits in memory"


def test_a_grid_keeps_its_order_without_the_points_that_do_not_fit() -> None:
    search = machine("grid")
    search.run(200)
    trials = list(search.trials.values())
    in_order = machine("grid", lambda assignments: True)
    in_order.run(200)
    every = [trial.assignments for trial in in_order.trials.values()]
    assert len(every) == 4 * 3 * 3 * 2 * 2
    places = [every.index(trial.assignments) for trial in trials]
    assert places == sorted(places)
    assert [each for each in every if fits(each)] == [t.assignments for t in trials if t.condition.measured]
    out = len(every) - len(trials)
    assert out > 0
    left = Memory(trials, footprint).left_out(searched("grid").parameters, 0)
    assert left == "nothing that is left of its space fits in memory"
    some = trials[:-3]  # three of those that fit were not tried
    assert Memory(some, footprint).left_out(searched("grid").parameters, 0) == (
        f"{out} of its points would not fit in memory"
    )


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "bayesianoptimization"])
def test_what_is_forgotten_is_tried_again(algorithm: str) -> None:
    search = machine(algorithm)
    search.run(12)
    known = short_of_memory(list(search.trials.values()))
    assert known
    for trial in known:
        search.trials[trial.name] = replace(trial, forgotten=True)
    larger = machine(algorithm, lambda assignments: True)
    larger.trials = search.trials
    larger._events = search._events
    larger.run(200 if algorithm == "grid" else 12)
    again = list(larger.trials.values())[12:]
    assert again
    assert not short_of_memory(again)
    if algorithm == "grid":
        assert len(again) == 4 * 3 * 3 * 2 * 2 - (12 - len(known)), "the points that ran out are tried again"


def test_a_larger_one_that_fitted_says_that_something_else_was_short_of_memory() -> None:
    def trial(number: int, batch: str, condition: Condition, rate: str = "0.0001") -> Trial:
        given = {"rate": rate, "iou": "0.5", "batch": batch, "size": "320", "kind": "small"}
        short = condition is Condition.FAILED
        return Trial(str(number), Role.SUGGESTED, number, given, condition=condition, out_of_memory=short)

    trials = [trial(0, "32", Condition.SUCCEEDED), trial(1, "16", Condition.FAILED), trial(2, "64", Condition.FAILED)]
    memory = Memory(trials, footprint)
    other = trial(3, "16", Condition.CREATED, "0.0002").assignments
    assert not memory.fits(trials[1].assignments), "it itself is not tried again"
    assert memory.fits(other)
    assert not memory.fits({**other, "batch": "64"})
    assert memory.fits({**other, "batch": "32"})
    assert Memory([trials[0]], footprint).fits(trials[2].assignments)
    assert Memory([replace(trials[2], forgotten=True)], footprint).fits(trials[2].assignments)


def test_sizes_that_the_data_decide_are_compared_with_the_same_resizer_alone() -> None:
    one, other = (Footprint("m", "ssd", 8, resizer=f"pad {multiple}") for multiple in (32, 64))
    found = borders([one, Footprint("m", "ssd", 2, 100, 100)], [replace(one, batch_size=4)])
    assert found == {one.kind: one, ("m", ""): Footprint("m", "ssd", 2, 100, 100)}
    assert other.kind not in found


def test_a_trial_whose_memory_cannot_be_told_is_not_tried_again_itself() -> None:
    given = {"x": "1"}
    memory = Memory(
        [Trial("t", Role.SUGGESTED, 0, given, condition=Condition.FAILED, out_of_memory=True)], lambda assignments: None
    )
    assert not memory.fits(given)
    assert memory.fits({"x": "2"})


def test_what_has_come_to_a_rung_has_fitted_also_while_it_goes_on() -> None:
    values = {"batch": "16", "size": "480", "kind": "small"}
    reached = Attempt("", "", 42, observation={"m": Metric("m", "1", "1", "1")})
    fitted = Trial("1", Role.SUGGESTED, 0, values, condition=Condition.RUNNING, attempts=(reached, Attempt("")))
    short = Trial("2", Role.SUGGESTED, 1, {**values, "size": "640"}, condition=Condition.FAILED, out_of_memory=True)
    larger = {**values, "batch": "64", "size": "320"}  # as much as the first one and more, but not as the second
    beside = replace(short, name="3", assignments=values)  # whose neighbour had the memory
    assert Memory([fitted, short], footprint).fits(values)
    assert Memory([fitted, beside], footprint).fits(larger)
    assert not Memory([replace(fitted, attempts=()), beside], footprint).fits(larger)
