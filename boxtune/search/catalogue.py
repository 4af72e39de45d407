"""Which algorithm an Experiment's name stands for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.problems import error
from boxtune.search.policy import Policy, SearchProblem
from boxtune.search.sampler import Algorithm
from boxtune.search.sampling import SamplingPolicy
from boxtune.search.settings import SEED, read_settings

# Katib's name: the module of boxtune/search/algorithms that has it, which is imported when it is asked for.
ALGORITHMS: Mapping[str, str] = {
    "random": "random",
    "grid": "grid",
    "tpe": "tpe",
    "multivariate-tpe": "multivariate_tpe",
    "bayesianoptimization": "bayesianoptimization",
    "cmaes": "cmaes",
    "sobol": "sobol",
}
DEFAULT_SEED = 0  # the same Experiment is searched the same way wherever it runs
_WHERE = "spec.algorithm"


def find_algorithm(name: str) -> Algorithm:
    """The algorithm of this name, one of ALGORITHMS."""
    found: Algorithm = importlib.import_module(f"boxtune.search.algorithms.{ALGORITHMS[name]}").ALGORITHM
    return found


def create_policy(experiment: Experiment) -> Policy:
    """The experiment's search, fresh.

    Raises:
        ExperimentError: an algorithm that there is none of, settings that it does not have, or a space that it cannot
            search.
    """
    name = experiment.algorithm
    if name not in ALGORITHMS:
        what = f"{name} is not built for local runs; there are {', '.join(ALGORITHMS)}"
        raise ExperimentError(error(f"{_WHERE}.algorithmName", what))
    if not experiment.parameters:
        raise ExperimentError(error("spec.parameters", "a search needs at least one parameter"))
    algorithm = find_algorithm(name)
    settings = read_settings(name, experiment.settings, algorithm.settings, f"{_WHERE}.algorithmSettings")
    seed = int(settings.get(SEED, DEFAULT_SEED))
    return SamplingPolicy(SearchProblem(experiment.parameters, experiment.objective, settings, seed), algorithm)
