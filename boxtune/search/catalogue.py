"""Which algorithm an Experiment's name stands for, and its settings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import optuna

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.search.algorithm import Algorithm, Strategy
from boxtune.search.cma_es import CmaEsSettings, CmaEsStrategy
from boxtune.search.gaussian_process import GaussianProcessStrategy
from boxtune.search.grid import Grid, GridStrategy
from boxtune.search.optuna_strategy import OptunaStrategy
from boxtune.search.search import Search
from boxtune.search.settings import (
    NOT_NEGATIVE_WHOLE,
    POSITIVE,
    POSITIVE_WHOLE,
    RANDOM_STATE,
    SHARE,
    Setting,
    one_of,
    read_settings,
)
from boxtune.search.sobol import SobolStrategy

_DEFAULT_SEED = 0  # the same Experiment is searched the same way wherever it runs
_MOST_GOOD = 25  # of hyperopt's split of the trials into good and other
_HYPEROPT = {"gamma": 0.25, "prior_weight": 1.0, "n_EI_candidates": 24}
_SEED = "random_state"
_MOST_POINTS = 1_000_000  # of a grid

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One algorithm.

    Attributes:
        settings: its settings, by Katib's names.
        strategy: makes it, from the Experiment, the typed settings and the seed.
    """

    settings: Mapping[str, Setting]
    strategy: Callable[[Experiment, Settings, int], Strategy]


def create_search(experiment: Experiment) -> Algorithm:
    """The experiment's algorithm, fresh.

    Raises:
        ExperimentError: an algorithm that there is none of, settings that it does not have, or a space that it cannot
            search.
    """
    entry = ALGORITHMS.get(experiment.algorithm)
    if entry is None:
        raise ExperimentError(
            f"spec.algorithm.algorithmName {experiment.algorithm}: not built for local runs; "
            f"there are {', '.join(ALGORITHMS)}"
        )
    if not experiment.parameters:
        raise ExperimentError("spec.parameters: a search needs at least one parameter")
    settings = read_settings(experiment.algorithm, experiment.settings, entry.settings)
    seed = int(settings.get(_SEED, _DEFAULT_SEED))
    maximize = experiment.objective.maximize
    return Search(experiment.parameters, maximize, seed, entry.strategy(experiment, settings, seed))


def _random(experiment: Experiment, settings: Settings, seed: int) -> Strategy:
    return OptunaStrategy(
        experiment.parameters,
        experiment.objective.maximize,
        seed,
        lambda drawn: optuna.samplers.RandomSampler(seed=drawn),
    )


def _grid(experiment: Experiment, settings: Settings, seed: int) -> Strategy:
    endless = [spec.name for spec in experiment.parameters if spec.count is None]
    if endless:
        raise ExperimentError(
            f"parameter {', '.join(endless)}: grid needs a feasibleSpace.step for every double, or a list of values"
        )
    size = Grid(experiment.parameters).size
    if size > _MOST_POINTS:
        raise ExperimentError(f"algorithm grid: {size} points; that is no grid to train on, use another algorithm")
    return GridStrategy(experiment.parameters, settings.get(_SEED))


def _tpe(experiment: Experiment, settings: Settings, seed: int) -> Strategy:
    chosen = _HYPEROPT | dict(settings)

    def good(trials: int) -> int:
        """How many of the trials count as good: hyperopt's rule, whose `gamma` this is."""
        return min(math.ceil(float(chosen["gamma"]) * math.sqrt(trials)), _MOST_GOOD)

    def make_sampler(drawn: int) -> optuna.samplers.TPESampler:
        return optuna.samplers.TPESampler(
            seed=drawn,
            gamma=good,
            prior_weight=chosen["prior_weight"],
            n_ei_candidates=chosen["n_EI_candidates"],
            constant_liar=True,  # running trials count as bad ones, so that parallel suggestions differ
        )

    return OptunaStrategy(experiment.parameters, experiment.objective.maximize, seed, make_sampler)


def _multivariate_tpe(experiment: Experiment, settings: Settings, seed: int) -> Strategy:
    chosen = {name: value for name, value in settings.items() if name != _SEED}

    def make_sampler(drawn: int) -> optuna.samplers.TPESampler:
        return optuna.samplers.TPESampler(seed=drawn, multivariate=True, constant_liar=True, **chosen)

    return OptunaStrategy(experiment.parameters, experiment.objective.maximize, seed, make_sampler)


def _bayesian(experiment: Experiment, settings: Settings, seed: int) -> Strategy:
    chosen = {name: value for name, value in settings.items() if name != _SEED}
    return GaussianProcessStrategy(experiment.parameters, experiment.objective.maximize, seed, chosen)


def _cma_es(experiment: Experiment, settings: Settings, seed: int) -> Strategy:
    numbers = [spec for spec in experiment.parameters if spec.parameter_type in ("double", "int")]
    if len(numbers) < 2:
        raise ExperimentError(f"algorithm cmaes: needs two double or int parameters, there are {len(numbers)}")
    chosen = CmaEsSettings(settings.get("sigma", CmaEsSettings.sigma), settings.get("restart_strategy") == "ipop")
    return CmaEsStrategy(experiment.parameters, experiment.objective.maximize, seed, chosen)


def _sobol(experiment: Experiment, settings: Settings, seed: int) -> Strategy:
    return SobolStrategy(experiment.parameters, seed)


ALGORITHMS: Mapping[str, Entry] = {
    "random": Entry({_SEED: RANDOM_STATE}, _random),
    "grid": Entry({_SEED: RANDOM_STATE}, _grid),
    "tpe": Entry(
        {"gamma": SHARE, "prior_weight": POSITIVE, "n_EI_candidates": POSITIVE_WHOLE, _SEED: RANDOM_STATE}, _tpe
    ),
    "multivariate-tpe": Entry(
        {"n_startup_trials": NOT_NEGATIVE_WHOLE, "n_ei_candidates": POSITIVE_WHOLE, _SEED: RANDOM_STATE},
        _multivariate_tpe,
    ),
    "bayesianoptimization": Entry(
        {
            "base_estimator": one_of("GP", "RF", "ET", "GBRT"),
            "n_initial_points": NOT_NEGATIVE_WHOLE,
            # EIps and PIps want each trial's seconds beside its value, which no Suggestion service is told.
            "acq_func": one_of("gp_hedge", "LCB", "EI", "PI"),
            "acq_optimizer": one_of("auto", "sampling", "lbfgs"),
            _SEED: RANDOM_STATE,
        },
        _bayesian,
    ),
    "cmaes": Entry({"sigma": SHARE, "restart_strategy": one_of("none", "ipop"), _SEED: RANDOM_STATE}, _cma_es),
    "sobol": Entry({}, _sobol),
}
