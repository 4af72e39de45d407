"""Tree-structured Parzen estimator, each parameter by itself, with the settings of Katib's hyperopt."""

from __future__ import annotations

import math

import optuna

from boxtune.search.algorithm import Algorithm, Teaches
from boxtune.search.optuna_sampler import OptunaSampler
from boxtune.search.policy import SearchProblem
from boxtune.search.sampler import Sampler
from boxtune.search.sampling import sampling
from boxtune.search.settings import POSITIVE, POSITIVE_WHOLE, RANDOM_STATE, SEED, SHARE

_MOST_GOOD = 25  # of hyperopt's split of the trials into good and other
_GAMMA, _PRIOR_WEIGHT, _CANDIDATES = 0.25, 1.0, 24  # hyperopt's own


def _sampler(problem: SearchProblem) -> Sampler:
    gamma = float(problem.settings.get("gamma", _GAMMA))
    prior_weight = float(problem.settings.get("prior_weight", _PRIOR_WEIGHT))
    candidates = int(problem.settings.get("n_EI_candidates", _CANDIDATES))

    def good(trials: int) -> int:
        """How many of the trials count as good: hyperopt's rule, whose `gamma` this is."""
        return min(math.ceil(gamma * math.sqrt(trials)), _MOST_GOOD)

    def make(seed: int) -> optuna.samplers.TPESampler:
        return optuna.samplers.TPESampler(
            seed=seed,
            gamma=good,
            prior_weight=prior_weight,
            n_ei_candidates=candidates,
            constant_liar=True,  # running trials count as bad ones, so that parallel suggestions differ
        )

    return OptunaSampler(problem, make)


ALGORITHM = Algorithm(
    {"gamma": SHARE, "prior_weight": POSITIVE, "n_EI_candidates": POSITIVE_WHOLE, SEED: RANDOM_STATE},
    sampling(_sampler),
    teaches=Teaches.WHOLE,
)
