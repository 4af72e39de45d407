"""Tree-structured Parzen estimator over all parameters together, with the settings of Katib's Optuna service."""

from __future__ import annotations

import optuna

from boxtune.search.algorithm import Algorithm, Teaches
from boxtune.search.optuna_sampler import OptunaSampler
from boxtune.search.policy import SearchProblem
from boxtune.search.sampler import Sampler
from boxtune.search.sampling import sampling
from boxtune.search.settings import NOT_NEGATIVE_WHOLE, POSITIVE_WHOLE, RANDOM_STATE, SEED

_STARTUP, _CANDIDATES = 10, 24  # Optuna's own


def _sampler(problem: SearchProblem) -> Sampler:
    startup = int(problem.settings.get("n_startup_trials", _STARTUP))
    candidates = int(problem.settings.get("n_ei_candidates", _CANDIDATES))

    def make(seed: int) -> optuna.samplers.TPESampler:
        return optuna.samplers.TPESampler(
            seed=seed,
            multivariate=True,
            constant_liar=True,
            n_startup_trials=startup,
            n_ei_candidates=candidates,
        )

    return OptunaSampler(problem, make)


ALGORITHM = Algorithm(
    {"n_startup_trials": NOT_NEGATIVE_WHOLE, "n_ei_candidates": POSITIVE_WHOLE, SEED: RANDOM_STATE},
    sampling(_sampler),
    teaches=Teaches.WHOLE,
)
