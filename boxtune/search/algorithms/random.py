"""Random search: every value of a parameter is as likely as its distribution says."""

from __future__ import annotations

import optuna

from boxtune.search.algorithm import Algorithm
from boxtune.search.optuna_sampler import OptunaSampler
from boxtune.search.policy import SearchProblem
from boxtune.search.sampler import Sampler
from boxtune.search.sampling import sampling
from boxtune.search.settings import RANDOM_STATE, SEED


def _sampler(problem: SearchProblem) -> Sampler:
    return OptunaSampler(problem, lambda seed: optuna.samplers.RandomSampler(seed=seed))


ALGORITHM = Algorithm({SEED: RANDOM_STATE}, sampling(_sampler))
