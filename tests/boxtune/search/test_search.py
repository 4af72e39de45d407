"""What every algorithm must do."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import pytest

from boxtune.errors import ExperimentError
from boxtune.experiment.model import Collector, Counts, Experiment, Objective
from boxtune.experiment.space import Assignments, ParameterSpec, inside
from boxtune.search.algorithm import Algorithm
from boxtune.search.catalogue import create_search

ALGORITHMS = ["random", "tpe"]
SPACE = (
    ParameterSpec("rate", "double", 1e-5, 1e-3, None, (), "logUniform"),
    ParameterSpec("batch", "discrete", values=("8", "16", "32", "64")),
    ParameterSpec("iou", "double", 0.4, 0.7, 0.05),
    ParameterSpec("plain", "double", -1.0, 1.0),
    ParameterSpec("layers", "int", 1, 100, 3),
    ParameterSpec("power", "int", 1, 1024, None, (), "logUniform"),
    ParameterSpec("bell", "double", 0.0, 1.0, None, (), "normal"),
    ParameterSpec("log_bell", "int", 1, 1000, None, (), "logNormal"),
    ParameterSpec("fine", "double", 0.001, 1.0, 0.001, (), "logUniform"),
    ParameterSpec("stepped_bell", "double", 0.0, 1.0, 0.1, (), "normal"),
    ParameterSpec("kind", "categorical", values=("a", "b", "c")),
    ParameterSpec("one", "double", 0.5, 0.5),
)


def experiment(
    algorithm: str,
    space: tuple[ParameterSpec, ...] = SPACE,
    settings: Mapping[str, str] | None = None,
    maximize: bool = True,
) -> Experiment:
    objective = Objective("m", maximize, None, (), {"m": "max"})
    return Experiment(
        "e", "default", {}, objective, Counts(1, None, None), Collector(), algorithm, settings or {}, space
    )


def value_of(assignments: Assignments) -> float:
    return -abs(math.log10(float(assignments["rate"])) + 4) - abs(float(assignments["iou"]) - 0.55)


def play(search: Algorithm, trials: int, first: int = 0) -> list[Assignments]:
    """Ask and tell, every fifth trial failing."""
    asked = []
    for number in range(first, first + trials):
        assignments = search.ask(number)
        asked.append(assignments)
        search.tell(number, None if number % 5 == 0 else value_of(assignments))
    return asked


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_value_lies_in_its_space_and_on_its_grid(algorithm: str) -> None:
    for assignments in play(create_search(experiment(algorithm)), 60):
        assert inside(SPACE, assignments)
        assert set(assignments) == {spec.name for spec in SPACE}
        assert assignments["batch"] in ("8", "16", "32", "64")
        assert assignments["iou"] in ("0.4", "0.45", "0.5", "0.55", "0.6", "0.65", "0.7")
        assert (int(assignments["layers"]) - 1) % 3 == 0
        assert assignments["power"] == str(int(assignments["power"]))
        assert len(assignments["fine"]) <= 5
        assert len(assignments["stepped_bell"]) == 3
        assert assignments["one"] == "0.5"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_seed_suggests_the_same(algorithm: str) -> None:
    first, same = (play(create_search(experiment(algorithm)), 25) for _ in range(2))
    other = play(create_search(experiment(algorithm, settings={"random_state": "7"})), 25)
    assert first == same
    assert first != other


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_restored_search_goes_on_as_the_first_would_have(algorithm: str) -> None:
    whole, broken = create_search(experiment(algorithm)), create_search(experiment(algorithm))
    asked = play(whole, 30)
    for number, assignments in enumerate(asked):
        broken.restore(number, assignments)
        broken.tell(number, None if number % 5 == 0 else value_of(assignments))
    assert play(whole, 5, first=30) == play(broken, 5, first=30)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_parallel_suggestions_differ(algorithm: str) -> None:
    search = create_search(experiment(algorithm))
    play(search, 15)
    asked = [search.ask(15 + number) for number in range(8)]
    assert len({tuple(assignments.items()) for assignments in asked}) == 8


@pytest.mark.parametrize("maximize", [True, False])
def test_failed_trials_are_left_not_forgotten(maximize: bool) -> None:
    """A region that fails is suggested less, in either direction."""
    space = (ParameterSpec("x", "double", 0.0, 1.0),)
    search = create_search(experiment("tpe", space, maximize=maximize))
    for number in range(40):
        x = float(search.ask(number)["x"])
        search.tell(number, None if x > 0.5 else (x if maximize else -x))
    asked = [float(search.ask(40 + number)["x"]) for number in range(10)]
    assert sum(x > 0.5 for x in asked) <= 3


def test_failures_before_any_value_are_told_with_the_first() -> None:
    search = create_search(experiment("tpe"))
    for number in range(3):
        search.ask(number)
    search.tell(0, None)
    search.tell(1, None)
    search.tell(2, 0.5)
    play(search, 20, first=3)


def test_the_baseline_is_learned_from() -> None:
    space = (ParameterSpec("x", "double", 0.0, 1.0),)
    blind, told = (create_search(experiment("tpe", space)) for _ in range(2))
    told.observe({"x": "0.9"}, 100.0)
    for search in (blind, told):
        for number in range(12):
            search.tell(number, float(search.ask(number)["x"]))
    assert blind.ask(12) != told.ask(12)


def test_tpe_finds_more_than_chance() -> None:
    best = {}
    for algorithm in ALGORITHMS:
        search = create_search(experiment(algorithm, SPACE[:3]))
        best[algorithm] = max(map(value_of, play(search, 60)))
    assert best["tpe"] > best["random"] - 0.02
    assert best["tpe"] > -0.1


def test_distributions_have_their_shape() -> None:
    asked = play(create_search(experiment("random")), 400)
    logs = [math.log10(float(assignments["rate"])) for assignments in asked]
    assert abs(sum(logs) / len(logs) + 4) < 0.1
    bells = [float(assignments["bell"]) for assignments in asked]
    deviation = math.sqrt(sum((bell - 0.5) ** 2 for bell in bells) / len(bells))
    assert abs(deviation - 1 / 6) < 0.03
    medians = sorted(int(assignments["log_bell"]) for assignments in asked)
    assert 20 < medians[200] < 50  # the middle of 1 to 1000 on a logarithmic scale is 32


def test_a_suggestion_at_a_thousand_trials_takes_under_a_tenth_of_a_second() -> None:
    search = create_search(experiment("tpe", SPACE[:4]))
    for number in range(1000):
        assignments = {"rate": "0.0001", "batch": "8", "iou": "0.5", "plain": str(number / 1000)}
        search.restore(number, assignments)
        search.tell(number, float(number % 7))
    times = []
    for number in range(5):
        began = time.perf_counter()
        search.ask(1000 + number)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.1


@pytest.mark.parametrize(
    ("algorithm", "settings", "says"),
    [
        ("random", {"seed": "1"}, "random has no setting seed; it has random_state"),
        ("random", {"random_state": "-1"}, "at least 0"),
        ("random", {"random_state": "1.5"}, "a whole number"),
        ("tpe", {"gamma": "1"}, "between 0 and 1"),
        ("tpe", {"prior_weight": "0"}, "above 0"),
        ("tpe", {"n_EI_candidates": "many"}, "a whole number above 0"),
        ("hyperband", {}, "not built yet for local runs"),
    ],
)
def test_wrong_settings_are_refused(algorithm: str, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ExperimentError, match=says):
        create_search(experiment(algorithm, settings=settings))


def test_right_settings_are_taken() -> None:
    settings = {"gamma": "0.5", "prior_weight": "2", "n_EI_candidates": "8", "random_state": "3"}
    changed = play(create_search(experiment("tpe", settings=settings)), 30)
    plain = play(create_search(experiment("tpe", settings={"random_state": "3"})), 30)
    assert changed[:10] == plain[:10]  # the first ten are drawn at random, from the same seed
    assert changed != plain
