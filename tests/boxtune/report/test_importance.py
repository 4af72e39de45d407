"""Importance where the truth is known: intervals hold it as often as they say, and noise is said to tell nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxtune.experiment.experiment import parse_experiment
from boxtune.experiment.space import Assignments
from boxtune.report.importance import importance
from boxtune.report.shares import Importance, importance_lines
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Attempt, Condition, Metric, Role, Trial
from boxtune.search.coordinates import coordinate
from tests.experiments import shell_experiment

Array = NDArray[np.float64]
SPACE = [
    {
        "name": "rate",
        "parameterType": "double",
        "feasibleSpace": {"min": "1e-4", "max": "1e-1", "distribution": "logUniform"},
    },
    {"name": "batch", "parameterType": "discrete", "feasibleSpace": {"list": ["8", "16", "32", "64"]}},
    {"name": "kind", "parameterType": "categorical", "feasibleSpace": {"list": ["a", "b", "c"]}},
    {"name": "decay", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}},
    {"name": "idle", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}},
]
NAMES = [str(each["name"]) for each in SPACE]
LEVELS = (32, 4, 3, 32, 32)  # places of each coordinate at which truths are computed; all of a list
HALF = 0.5


def slope(rate: Array, batch: Array, kind: Array, decay: Array, idle: Array) -> Array:
    """Straight lines, and decay and rate together."""
    return rate + 0.8 * batch + 3 * (rate - HALF) * (decay - HALF)


def bump(rate: Array, batch: Array, kind: Array, decay: Array, idle: Array) -> Array:
    """A best rate, which another kind has elsewhere."""
    return np.exp(-(((rate - 0.4 - 0.2 * (kind > HALF)) / 0.25) ** 2)) + 0.3 * batch


def step(rate: Array, batch: Array, kind: Array, decay: Array, idle: Array) -> Array:
    """From some rate on nothing is learned; a kind is better."""
    return -1.0 * (rate > 0.7) + 0.5 * (kind < 0.3) + 0.6 * decay**2


Truth = Callable[[Array, Array, Array, Array, Array], Array]
TRUTHS: Sequence[Truth] = (slope, bump, step)


def shares_of(truth: Truth, noise: float) -> dict[tuple[str, ...], float]:
    """What each and each two explain, of the function's variance and the noise's (in its standard deviations)."""
    axes = [(np.arange(count) + HALF) / count for count in LEVELS]
    values = truth(*np.meshgrid(*axes, indexing="ij"))
    whole = values.var() * (1 + noise**2)

    def variance(*kept: int) -> float:
        return float(values.mean(axis=tuple(each for each in range(len(LEVELS)) if each not in kept)).var())

    found: dict[tuple[str, ...], float] = {(NAMES[one],): variance(one) / whole for one in range(len(LEVELS))}
    for one, other in combinations(range(len(LEVELS)), 2):
        together = (variance(one, other) - variance(one) - variance(other)) / whole
        found[NAMES[one], NAMES[other]] = max(together, 0.0)
    return found


def run_of(given: Sequence[Assignments], values: Sequence[float], **more: Any) -> Run:
    """A run whose trials gave these values."""
    made = tuple(
        Trial(
            f"t-{number}", Role.SUGGESTED, number, assignments, condition=Condition.SUCCEEDED,
            observation={"score": Metric("score", *[repr(float(value))] * 3)}, **more,
        )
        for number, (assignments, value) in enumerate(zip(given, values, strict=True))
    )  # fmt: skip
    experiment = parse_experiment(shell_experiment(parameters=SPACE), {})
    return Run(experiment, made, None, RunCondition.SUCCEEDED, "over", "2026-01-01T00:00:00Z")


def searched(truth: Truth | None, noise: float, trials: int, seed: int) -> Run:
    """A random search on a function; None is noise alone."""
    dice = np.random.default_rng(seed)
    places = dice.random((trials, len(SPACE)))
    specs = run_of([], []).experiment.parameters
    given = [
        {spec.name: coordinate(spec).decode(float(share)) for spec, share in zip(specs, row, strict=True)}
        for row in places
    ]
    encoded = [np.array([coordinate(spec).encode(each[spec.name]) for each in given]) for spec in specs]
    values = dice.standard_normal(trials)
    if truth is not None:
        axes = [(np.arange(count) + HALF) / count for count in LEVELS]
        size = truth(*np.meshgrid(*axes, indexing="ij")).std()
        values = truth(*encoded) + noise * size * values
    return run_of(given, list(values))


def found_by(run: Run) -> Importance:
    found = importance(run)
    assert found is not None
    return found


@dataclass
class Count:
    """How often intervals held the truth: all of them, and those of what explains something."""

    held: int = 0
    all: int = 0
    active_held: int = 0
    active: int = 0

    def add(self, found: Importance, true: Mapping[tuple[str, ...], float]) -> None:
        for share in (*found.parameters, *found.pairs):
            holds = share.low - 1e-3 <= true[share.names] <= share.high + 1e-3
            matters = true[share.names] > 0.01
            self.held, self.all = self.held + holds, self.all + 1
            self.active_held, self.active = self.active_held + (holds and matters), self.active + matters


def test_intervals_hold_the_true_shares_as_often_as_they_say() -> None:
    every = Count()
    told = {True: 0, False: 0}  # of what matters much, and of what does not matter: told from chance
    of = {True: 0, False: 0}
    for truth in TRUTHS:
        for noise in (0.3, 1.0):
            true = shares_of(truth, noise)
            own = Count()
            for trials in (24, 60):
                for seed in range(8):
                    found = found_by(searched(truth, noise, trials, seed))
                    own.add(found, true)
                    every.add(found, true)
                    for each in found.parameters:
                        if trials == 60 and (true[each.names] > 0.25 or true[each.names] < 1e-9):
                            matters = true[each.names] > 0.25
                            told[matters] += each.is_told
                            of[matters] += 1
            print(f"{truth.__name__}, noise {noise}: {own.held} of {own.all} intervals hold the true share")
            assert own.held / own.all >= 0.75
    print(f"{every.held} of {every.all} ({every.held / every.all:.0%}) hold it, at a nominal 90 %")
    share = every.active_held / every.active
    print(f"{every.active_held} of {every.active} ({share:.0%}) of those of what explains something")
    print(f"by 60 trials {told[True]} of {of[True]} that explain a quarter are told from chance")
    print(f"and {told[False]} of {of[False]} that explain nothing")
    assert every.held / every.all >= 0.8
    assert share >= 0.8
    assert told[True] / of[True] >= 0.7
    assert told[False] / of[False] <= 0.1


def test_noise_is_said_to_tell_nothing() -> None:
    untold = 0
    runs = [(trials, seed) for trials in (8, 24, 60) for seed in range(30)]
    for trials, seed in runs:
        found = found_by(searched(None, 1.0, trials, seed))
        lines = list(importance_lines(found))
        said = lines[0].startswith(f"{trials} trials do not tell which parameters matter")
        assert said == (not found.is_told)
        untold += said
    print(f"{untold} of {len(runs)} searches that measured noise alone are said to tell nothing")
    assert untold / len(runs) >= 0.9


def test_what_is_told_and_what_is_not_is_said() -> None:
    found = found_by(searched(slope, 0.3, 60, 0))
    told = {each.names for each in (*found.parameters, *found.pairs) if each.is_told}
    assert {("rate",), ("batch",), ("rate", "decay")} <= told
    text = "; ".join(importance_lines(found))
    assert "cannot be told from chance with 60 trials: idle, kind;" in text, "decay matters with the rate"
    assert "no interaction of two parameters, but that of rate x decay, can be told from chance" in text
    assert "is explained by no parameter and no two" in text
    whole = sum(each.value for each in found.parameters) + found.rest.value
    assert 0 < whole <= 1 + 1e-6


def test_the_same_trials_give_the_same_shares() -> None:
    run = searched(bump, 0.3, 24, 3)
    assert importance(run) == importance(run)


def test_trials_of_several_rungs_are_compared_by_their_ranks() -> None:
    """What is trained whole is the best third at the lowest rung; a rate decides, and steps add to all."""
    dice = np.random.default_rng(0)
    specs = run_of([], []).experiment.parameters
    trials = []
    for number in range(36):
        shares = dice.random(len(SPACE))
        given = {spec.name: coordinate(spec).decode(float(share)) for spec, share in zip(specs, shares, strict=True)}
        quality = 1 - abs(coordinate(specs[0]).encode(given["rate"]) - HALF)
        measured = [quality * steps + 0.02 * dice.standard_normal() for steps in (1.0, 3.0, 9.0)]
        reached = 3 if quality > 0.9 else 2 if quality > 0.7 else 1
        trials.append(_climbed(number, given, measured[:reached]))
    run = run_of([], [])
    run = Run(run.experiment, tuple(trials), None, RunCondition.RUNNING, "", run.started)
    found = found_by(run)
    assert found.ranked
    assert found.trials == 36
    assert found.parameters[0].names == ("rate",)
    assert found.parameters[0].low > 0.3
    assert not any(each.is_told for each in found.parameters[1:])


def _climbed(number: int, given: Assignments, measured: Sequence[float]) -> Trial:
    def observation(value: float) -> dict[str, Metric]:
        return {"score": Metric("score", *[repr(value)] * 3)}

    steps = (10, 30, None)
    attempts = tuple(
        Attempt("begun", "ended", steps[rung], observation=observation(value)) for rung, value in enumerate(measured)
    )
    whole = len(measured) == len(steps)
    condition = Condition.SUCCEEDED if whole else Condition.PAUSED
    return Trial(
        f"t-{number}", Role.SUGGESTED, number, given, condition=condition, attempts=attempts,
        observation=observation(measured[-1]), steps=steps[len(measured) - 1],
    )  # fmt: skip


def test_a_trial_that_was_gone_on_with_past_a_rung_is_compared_as_what_was_trained_whole() -> None:
    """`--continue` leaves the rungs between out: what the whole training gave is no rung's result."""
    run = run_of([], [])
    specs, shapes = run.experiment.parameters, [(0.1,), (0.2, 0.4), (0.3, 0.5, 0.9), (0.25,)] * 3
    given = [{spec.name: coordinate(spec).decode((number + HALF) / 12) for spec in specs} for number in range(12)]
    trials = [_climbed(number, given[number], measured) for number, measured in enumerate(shapes)]
    whole = _climbed(3, given[3], (0.25, 0.45, 0.95))
    skipped = replace(whole, attempts=(whole.attempts[0], whole.attempts[2]))
    by_rung, onward = (found_by(replace(run, trials=(*trials[:3], each, *trials[4:]))) for each in (whole, skipped))
    assert onward == by_rung


@pytest.mark.parametrize("values", [[1.0] * 12, [0.1, 0.2, 0.3, 0.4]])
def test_equal_values_and_few_trials_say_nothing(values: list[float]) -> None:
    run = searched(slope, 0.3, len(values), 0)
    assert importance(run_of([trial.assignments for trial in run.trials], values)) is None


def test_a_hundred_trials_of_eight_parameters_take_at_most_three_seconds() -> None:
    ranges = [
        {"name": f"p{number}", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}
        for number in range(8)
    ]
    dice = np.random.default_rng(0)
    experiment = parse_experiment(shell_experiment(parameters=ranges), {})
    given = [{f"p{place}": repr(float(value)) for place, value in enumerate(row)} for row in dice.random((100, 8))]
    made = run_of(given, [float(each["p0"]) + math.sin(5 * float(each["p1"])) for each in given]).trials
    run = Run(experiment, made, None, RunCondition.SUCCEEDED, "", "")
    begun = time.process_time()
    found = found_by(run)
    seconds = time.process_time() - begun
    print(f"100 trials, 8 parameters: {seconds:.2f} s of one processor")
    assert {each.names for each in found.parameters if each.is_told} == {("p0",), ("p1",)}
    assert seconds <= 3.0
