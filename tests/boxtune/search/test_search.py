"""What every algorithm must do: one suite for all of them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import pytest

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Collector, Counts, Experiment, Objective
from boxtune.experiment.space import Assignments, ParameterSpec, inside
from boxtune.search.algorithm import Algorithm
from boxtune.search.catalogue import create_search

LEARNING = ["tpe", "multivariate-tpe", "bayesianoptimization", "cmaes"]
ENDLESS = ["random", "sobol", *LEARNING]  # they search ranges too
ALGORITHMS = [*ENDLESS, "grid"]
SHORT = {"bayesianoptimization": 14}  # a third of a second each, once ten are known
SEEDED = [name for name in ALGORITHMS if name != "sobol"]
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
FINITE = (
    ParameterSpec("rate", "double", 0.0001, 0.0009, 0.0002),
    ParameterSpec("iou", "double", 0.4, 0.7, 0.05),
    ParameterSpec("layers", "int", 1, 10, 3),
    ParameterSpec("kind", "categorical", values=("a", "b", "c")),
)
SMALL = (  # twelve points
    ParameterSpec("rate", "double", 0.001, 0.003, 0.001),
    ParameterSpec("layers", "int", 1, 2),
    ParameterSpec("batch", "discrete", values=("8", "16")),
)


def space_of(algorithm: str) -> tuple[ParameterSpec, ...]:
    """The largest space that it can search."""
    return SPACE if algorithm in ENDLESS else FINITE


def experiment(
    algorithm: str,
    space: tuple[ParameterSpec, ...] | None = None,
    settings: Mapping[str, str] | None = None,
    maximize: bool = True,
) -> Experiment:
    objective = Objective("m", maximize, None, (), {"m": "max"})
    return Experiment(
        "e",
        "default",
        {},
        objective,
        Counts(1, None, None),
        Collector(),
        algorithm,
        settings or {},
        space_of(algorithm) if space is None else space,
    )


def value_of(assignments: Assignments) -> float:
    return -abs(math.log10(float(assignments["rate"])) + 4) - abs(float(assignments["iou"]) - 0.55)


def ask(search: Algorithm, number: int) -> Assignments:
    """A suggestion that must be there."""
    assignments = search.ask(number)
    assert assignments is not None
    return assignments


def play(search: Algorithm, trials: int, first: int = 0) -> list[Assignments]:
    """Ask and tell, every fifth trial failing."""
    asked = []
    for number in range(first, first + trials):
        assignments = ask(search, number)
        asked.append(assignments)
        search.tell(number, None if number % 5 == 0 else value_of(assignments))
    return asked


@pytest.mark.parametrize("algorithm", ENDLESS)
def test_every_value_lies_in_its_space_and_on_its_grid(algorithm: str) -> None:
    for assignments in play(create_search(experiment(algorithm)), SHORT.get(algorithm, 40)):
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
    first, same = (play(create_search(experiment(algorithm)), SHORT.get(algorithm, 25)) for _ in range(2))
    assert first == same


@pytest.mark.parametrize("algorithm", SEEDED)
def test_another_seed_suggests_something_else(algorithm: str) -> None:
    first, other = (
        play(create_search(experiment(algorithm, settings={"random_state": seed})), 8) for seed in ("1", "7")
    )
    assert first != other


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_restored_search_goes_on_as_the_first_would_have(algorithm: str) -> None:
    """Also with trials that were running when it was cut off, and that end in another order."""
    whole, broken = create_search(experiment(algorithm)), create_search(experiment(algorithm))
    whole.observe(play(create_search(experiment(algorithm)), 1)[0], 0.25)
    asked = play(whole, 22)
    asked += [ask(whole, number) for number in (22, 23, 24)]
    whole.tell(24, -0.5)
    broken.observe(asked[0], 0.25)
    for number, assignments in enumerate(asked):
        broken.restore(number, assignments)
        if number < 22:
            broken.tell(number, None if number % 5 == 0 else value_of(assignments))
    broken.tell(24, -0.5)
    for search in (whole, broken):
        asked.append(ask(search, 25))
        search.tell(23, 0.75)
        search.tell(22, None)
        asked.append(ask(search, 26))
    assert asked[-4:-2] == asked[-2:]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_parallel_suggestions_differ(algorithm: str) -> None:
    search = create_search(experiment(algorithm))
    play(search, 15)
    asked = [ask(search, 15 + number) for number in range(8)]
    assert len({tuple(assignments.items()) for assignments in asked}) == 8


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_finite_space_is_searched_without_repeating_and_to_its_end(algorithm: str) -> None:
    search = create_search(experiment(algorithm, SMALL))
    seen = []
    for number in range(12):
        assignments = ask(search, number)
        seen.append(tuple(assignments.values()))
        search.tell(number, float(assignments["rate"]))
    assert len(set(seen)) == 12
    assert search.ask(12) is None
    restored = create_search(experiment(algorithm, SMALL))
    for number, values in enumerate(seen):
        restored.restore(number, dict(zip(("rate", "layers", "batch"), values, strict=True)))
    assert restored.ask(12) is None


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "cmaes"])
def test_a_space_with_one_point_has_one_suggestion(algorithm: str) -> None:
    search = create_search(experiment(algorithm, (ParameterSpec("x", "int", 3, 3),)))
    assert search.ask(0) == {"x": "3"}
    assert search.ask(1) is None
    with pytest.raises(ExperimentError, match="at least one parameter"):
        create_search(experiment(algorithm, ()))


@pytest.mark.parametrize("maximize", [True, False])
@pytest.mark.parametrize("algorithm", LEARNING)
def test_it_finds_more_than_chance(algorithm: str, maximize: bool) -> None:
    """The best of 40 on two numbers and a choice, three seeds, beside random search; CMA-ES takes longer."""
    trials = 100 if algorithm == "cmaes" else 40

    def best(name: str, seed: int) -> float:
        space = (SPACE[0], SPACE[3], SPACE[10])
        search = create_search(experiment(name, space, {"random_state": str(seed)}, maximize))
        found = -math.inf
        for number in range(trials):
            chosen = ask(search, number)
            height = -((math.log10(float(chosen["rate"])) + 4) ** 2) - (float(chosen["plain"]) - 0.3) ** 2
            height -= {"a": 0.5, "b": 0.0, "c": 0.2}[chosen["kind"]]
            found = max(found, height)
            search.tell(number, height if maximize else -height)
        return found

    ours, chance = ([best(name, seed) for seed in range(3)] for name in (algorithm, "random"))
    assert sum(ours) > sum(chance)
    assert min(ours) > -0.05


def test_a_grid_is_in_the_order_of_the_file_or_shuffled() -> None:
    asked = [tuple(ask(create_search(experiment("grid", SMALL)), number).values()) for number in range(5)]
    assert asked[:3] == [("0.001", "1", "8"), ("0.001", "1", "16"), ("0.001", "2", "8")]
    search = create_search(experiment("grid", SMALL, {"random_state": "1"}))
    assert [tuple(ask(search, number).values()) for number in range(5)] != asked


def test_a_grid_ends_at_the_last_step_below_max() -> None:
    spec = ParameterSpec("x", "double", 0.0, 1.0, 0.3)
    assert [spec.value_at(index) for index in range(spec.count or 0)] == ["0.0", "0.3", "0.6", "0.9"]


@pytest.mark.parametrize("maximize", [True, False])
def test_failed_trials_are_left_not_forgotten(maximize: bool) -> None:
    """A region that fails is suggested less, in either direction."""
    space = (ParameterSpec("x", "double", 0.0, 1.0),)
    search = create_search(experiment("tpe", space, maximize=maximize))
    for number in range(40):
        x = float(ask(search, number)["x"])
        search.tell(number, None if x > 0.5 else (x if maximize else -x))
    asked = [float(ask(search, 40 + number)["x"]) for number in range(10)]
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
            search.tell(number, float(ask(search, number)["x"]))
    assert blind.ask(12) != told.ask(12)


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
        ("multivariate-tpe", {"n_startup_trials": "-1"}, "at least 0"),
        ("multivariate-tpe", {"gamma": "0.5"}, "has no setting gamma; it has n_startup_trials"),
        ("bayesianoptimization", {"base_estimator": "GPR"}, "one of GP, RF, ET, GBRT"),
        ("bayesianoptimization", {"acq_func": "EIps"}, "one of gp_hedge, LCB, EI, PI"),
        ("bayesianoptimization", {"n_initial_points": "few"}, "a whole number"),
        ("cmaes", {"sigma": "3"}, "between 0 and 1"),
        ("cmaes", {"restart_strategy": "bipop"}, "one of none, ipop"),
        ("sobol", {"random_state": "1"}, "sobol has no setting random_state; it has none"),
        ("hyperband", {}, "not built for local runs"),
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


@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [
        ("multivariate-tpe", {"n_startup_trials": "5", "n_ei_candidates": "8"}),
        ("bayesianoptimization", {"base_estimator": "RF", "n_initial_points": "3", "acq_func": "EI"}),
        ("bayesianoptimization", {"acq_func": "LCB", "acq_optimizer": "sampling", "n_initial_points": "2"}),
        ("cmaes", {"sigma": "0.4", "restart_strategy": "ipop"}),
    ],
)
def test_every_setting_changes_something(algorithm: str, settings: dict[str, str]) -> None:
    changed = play(create_search(experiment(algorithm, settings=settings)), 14)
    assert changed != play(create_search(experiment(algorithm)), 14)


def test_what_an_algorithm_cannot_search_is_refused() -> None:
    with pytest.raises(ExperimentError, match=r"parameter rate, plain, .*grid needs a feasibleSpace\.step"):
        create_search(experiment("grid", SPACE))
    with pytest.raises(ExperimentError, match="cmaes: needs two double or int parameters, there are 1"):
        create_search(experiment("cmaes", (SPACE[0], SPACE[1])))


def test_cma_es_restarts_with_a_larger_population() -> None:
    """On a plateau the distribution collapses; with IPOP it begins again, and suggests far points again."""
    space = (SPACE[0], SPACE[3])
    spread = {}
    for strategy in ("none", "ipop"):
        search = create_search(experiment("cmaes", space, {"restart_strategy": strategy}))
        asked = []
        for number in range(1500):
            chosen = ask(search, number)
            asked.append(float(chosen["plain"]))
            search.tell(number, -abs(float(chosen["plain"]) - 0.5))
        spread[strategy] = max(asked[-200:]) - min(asked[-200:])
    assert spread["ipop"] > 100 * spread["none"]
