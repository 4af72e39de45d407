"""algorithmSettings: what is refused, and that what is taken makes a difference."""

from __future__ import annotations

import pytest

from boxtune.errors import ExperimentError
from boxtune.search.catalogue import create_policy
from tests.boxtune.search.story import SPACE, Story, experiment, play


@pytest.mark.parametrize(
    ("algorithm", "settings", "says"),
    [
        ("random", {"seed": "1"}, "random has no setting seed; it has random_state"),
        ("random", {"random_state": "-1"}, "from 0 to 4294967295"),
        ("random", {"random_state": "4294967296"}, "from 0 to 4294967295"),
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
        ("sobol", {"random_state": "1"}, "sobol's setting random_state is not built for local runs; it has none"),
        ("asha", {"eta": "1.5"}, r'eta "1.5" of asha must be a number of at least 2'),
        ("asha", {"eta": "many"}, "a number of at least 2"),
        ("asha", {"random_share": "1.1"}, "a share from 0 to 1"),
        *[
            ("asha", {"rungs": rungs}, "shares of the whole training that increase to 1, such as 1/9,1/3,1")
            for rungs in ("1/3,1/9,1", "1/9,1/3", "0,1", "1/9,1/9,1", "1/0,1", "-1/9,1", "", "1/9;1", "1e-1,1", "1/2,2")
        ],
        ("hyperband", {"eta": "1.5"}, "a number of at least 2"),
        ("hyperband", {"r_l": "0"}, "a number of at least 1"),
        ("hyperband", {"s_max": "2"}, "hyperband's setting s_max is not built for local runs; it has r_l, eta"),
        ("pbt", {}, "changes hyperparameters in the middle of a training"),
        ("enas", {}, "is not built for local runs; there are random, grid"),
    ],
)
def test_wrong_settings_are_refused(algorithm: str, settings: dict[str, str], says: str) -> None:
    with pytest.raises(ExperimentError, match=says) as refused:
        create_policy(experiment(algorithm, settings=settings))
    (problem,) = refused.value.problems
    assert problem.path.startswith("spec.algorithm.algorithmSettings.0" if settings else "spec.algorithm.algorithmName")


def test_right_settings_are_taken() -> None:
    settings = {"gamma": "0.5", "prior_weight": "2", "n_EI_candidates": "8", "random_state": "3"}
    changed = play(Story(experiment("tpe", settings=settings)), 30)
    plain = play(Story(experiment("tpe", settings={"random_state": "3"})), 30)
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
    changed = play(Story(experiment(algorithm, settings=settings)), 14)
    assert changed != play(Story(experiment(algorithm)), 14)


def test_what_an_algorithm_cannot_search_is_refused_at_each_parameter() -> None:
    with pytest.raises(ExperimentError, match=r"parameter rate: grid needs a feasibleSpace\.step") as refused:
        create_policy(experiment("grid", SPACE))
    assert [each.path for each in refused.value.problems][:2] == [
        "spec.parameters.0.feasibleSpace",
        "spec.parameters.3.feasibleSpace",
    ]
    with pytest.raises(ExperimentError, match="cmaes needs two double or int parameters, there are 1"):
        create_policy(experiment("cmaes", (SPACE[0], SPACE[1])))
