"""That what learns learns: more than chance, from failures and from the baseline too."""

from __future__ import annotations

import math

import pytest

from boxtune.experiment.space import ParameterSpec
from tests.boxtune.search.story import LEARNING, SPACE, Story, experiment, play


@pytest.mark.parametrize("maximize", [True, False])
@pytest.mark.parametrize("algorithm", LEARNING)
def test_it_finds_more_than_chance(algorithm: str, maximize: bool) -> None:
    """The best of 40 on two numbers and a choice, three seeds, beside random search.

    CMA-ES takes longer; a Gaussian process needs fewer, and a third of a second for each.
    """
    trials = {"cmaes": 100, "bayesianoptimization": 25}.get(algorithm, 40)

    def best(name: str, seed: int) -> float:
        space = (SPACE[0], SPACE[3], SPACE[10])
        story = Story(experiment(name, space, {"random_state": str(seed)}, maximize))
        found = -math.inf
        for number in range(trials):
            chosen = story.ask()
            height = -((math.log10(float(chosen["rate"])) + 4) ** 2) - (float(chosen["plain"]) - 0.3) ** 2
            height -= {"a": 0.5, "b": 0.0, "c": 0.2}[chosen["kind"]]
            found = max(found, height)
            story.tell(number, height if maximize else -height)
        return found

    ours, chance = ([best(name, seed) for seed in range(3)] for name in (algorithm, "random"))
    assert sum(ours) > sum(chance)
    assert min(ours) > -0.05


@pytest.mark.parametrize("maximize", [True, False])
def test_failed_trials_are_left_not_forgotten(maximize: bool) -> None:
    """A region that fails is suggested less, in either direction."""
    story = Story(experiment("tpe", (ParameterSpec("x", "double", 0.0, 1.0),), maximize=maximize))
    for number in range(40):
        x = float(story.ask()["x"])
        story.tell(number, None if x > 0.5 else (x if maximize else -x))
    asked = [float(story.ask()["x"]) for _ in range(10)]
    assert sum(x > 0.5 for x in asked) <= 3


def test_failures_before_any_value_are_told_with_the_first() -> None:
    story = Story(experiment("tpe"))
    for _ in range(3):
        story.ask()
    story.tell(0, None)
    story.tell(1, None)
    story.tell(2, 0.5)
    play(story, 20, first=3)


def test_the_baseline_is_learned_from() -> None:
    blind, told = (Story(experiment("tpe", (ParameterSpec("x", "double", 0.0, 1.0),))) for _ in range(2))
    told.observe({"x": "0.9"}, 100.0)
    for story in (blind, told):
        for number in range(12):
            story.tell(number, float(story.ask()["x"]))
    assert blind.ask() != told.ask()


def test_cma_es_restarts_with_a_larger_population() -> None:
    """On a plateau the distribution collapses; with IPOP it begins again, and suggests far points again."""
    spread = {}
    for strategy in ("none", "ipop"):
        story = Story(experiment("cmaes", (SPACE[0], SPACE[3]), {"restart_strategy": strategy}))
        asked = []
        for number in range(1200):
            chosen = story.ask()
            asked.append(float(chosen["plain"]))
            story.tell(number, -abs(float(chosen["plain"]) - 0.5))
        spread[strategy] = max(asked[-200:]) - min(asked[-200:])
    assert spread["ipop"] > 100 * spread["none"]
