"""Which algorithm an Experiment's name stands for."""

from __future__ import annotations

import math
from collections.abc import Callable

import optuna

from boxtune.errors import ExperimentError
from boxtune.experiment.model import Experiment
from boxtune.search.algorithm import Algorithm
from boxtune.search.optuna_search import OptunaSearch
from boxtune.search.settings import POSITIVE, POSITIVE_WHOLE, RANDOM_STATE, SHARE, read_settings

_DEFAULT_SEED = 0  # the same Experiment is searched the same way wherever it runs
_MOST_GOOD = 25  # of hyperopt's split of the trials into good and other
_HYPEROPT = {"gamma": 0.25, "prior_weight": 1.0, "n_EI_candidates": 24}


def create_search(experiment: Experiment) -> Algorithm:
    """The experiment's algorithm, fresh.

    Raises:
        ExperimentError: an algorithm that is not built yet, or settings that it does not have.
    """
    make = _ALGORITHMS.get(experiment.algorithm)
    if make is None:
        raise ExperimentError(
            f"spec.algorithm.algorithmName {experiment.algorithm}: not built yet for local runs; "
            f"there are {', '.join(_ALGORITHMS)}"
        )
    return make(experiment)


def _random(experiment: Experiment) -> Algorithm:
    settings = read_settings("random", experiment.settings, {"random_state": RANDOM_STATE})
    return OptunaSearch(
        experiment.parameters,
        experiment.objective.maximize,
        settings.get("random_state", _DEFAULT_SEED),
        lambda seed: optuna.samplers.RandomSampler(seed=seed),
    )


def _tpe(experiment: Experiment) -> Algorithm:
    known = {
        "gamma": SHARE,
        "prior_weight": POSITIVE,
        "n_EI_candidates": POSITIVE_WHOLE,
        "random_state": RANDOM_STATE,
    }
    settings = _HYPEROPT | read_settings("tpe", experiment.settings, known)

    def good(trials: int) -> int:
        """How many of the trials count as good: hyperopt's rule, whose `gamma` this is."""
        return min(math.ceil(float(settings["gamma"]) * math.sqrt(trials)), _MOST_GOOD)

    def make_sampler(seed: int) -> optuna.samplers.TPESampler:
        return optuna.samplers.TPESampler(
            seed=seed,
            gamma=good,
            prior_weight=settings["prior_weight"],
            n_ei_candidates=settings["n_EI_candidates"],
            constant_liar=True,  # running trials count as bad ones, so that parallel suggestions differ
        )

    return OptunaSearch(
        experiment.parameters,
        experiment.objective.maximize,
        int(settings.get("random_state", _DEFAULT_SEED)),
        make_sampler,
    )


_ALGORITHMS: dict[str, Callable[[Experiment], Algorithm]] = {"random": _random, "tpe": _tpe}
