"""Which algorithm an Experiment's name stands for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.problems import error
from boxtune.search.algorithm import Algorithm
from boxtune.search.policy import Policy, SearchProblem, Surroundings
from boxtune.search.sampler import mixed
from boxtune.search.settings import SEED, read_settings

# Katib's name: the module of boxtune/search/algorithms that has it, which is imported when it is asked for.
ALGORITHMS: Mapping[str, str] = {
    "random": "random",
    "grid": "grid",
    "tpe": "tpe",
    "multivariate-tpe": "multivariate_tpe",
    "bayesianoptimization": "bayesianoptimization",
    "cmaes": "cmaes",
    "hyperband": "hyperband",
    "asha": "asha",
    "sobol": "sobol",
}
# Why there is none of them here, of those that Katib has.
REFUSED_HERE: Mapping[str, str] = {
    "pbt": "it changes hyperparameters in the middle of a training, so that no assignments stand for its result",
}
DEFAULT_SEED = 0  # the same Experiment is searched the same way wherever it runs
_NOTHING_KNOWN = Surroundings()
_WHERE = "spec.algorithm"
SETTINGS = f"{_WHERE}.algorithmSettings"


def find_algorithm(name: str) -> Algorithm:
    """The algorithm of this name, one of ALGORITHMS."""
    found: Algorithm = importlib.import_module(f"boxtune.search.algorithms.{ALGORITHMS[name]}").ALGORITHM
    return found


def settings_elsewhere(experiment: Experiment) -> list[int]:
    """The places among the experiment's settings of those that Katib's own service takes, whether they are built here
    or not.
    """
    takes = find_algorithm(experiment.algorithm).elsewhere
    return [number for number, (name, text) in enumerate(experiment.settings.items()) if takes(name, text)]


def create_policy(experiment: Experiment, surroundings: Surroundings = _NOTHING_KNOWN) -> Policy:
    """The experiment's search, fresh.

    Raises:
        ExperimentError: an algorithm that there is none of, settings that it does not have, or a space that it cannot
            search.
    """
    name = experiment.algorithm
    if name not in ALGORITHMS:
        reason = f": {REFUSED_HERE[name]}" if name in REFUSED_HERE else ""
        what = f"{name} is not built for local runs{reason}; there are {', '.join(ALGORITHMS)}"
        raise ExperimentError(error(f"{_WHERE}.algorithmName", what))
    if not experiment.parameters:
        raise ExperimentError(error("spec.parameters", "a search needs at least one parameter"))
    algorithm = find_algorithm(name)
    settings = read_settings(name, experiment.settings, algorithm.settings, SETTINGS, algorithm.elsewhere)
    seed = int(settings.get(SEED, DEFAULT_SEED))
    if surroundings.prior:  # an earlier run with the same seed has tried the same points
        seed = mixed(seed, sum(run.count for run in surroundings.prior))
    problem = SearchProblem(
        experiment.parameters, experiment.objective, settings, seed, experiment.counts.most, surroundings
    )
    return algorithm.policy(problem)
