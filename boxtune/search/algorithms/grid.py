"""Grid search: each point once, in the file's order or shuffled, so that a search cut short has seen all corners."""

from __future__ import annotations

import random

from boxtune.errors import ExperimentError
from boxtune.experiment.space import Assignments
from boxtune.problems import error
from boxtune.search.algorithm import Algorithm
from boxtune.search.grid_points import GridPoints
from boxtune.search.policy import SearchProblem
from boxtune.search.sampler import Sampler, Unlearning
from boxtune.search.sampling import sampling
from boxtune.search.settings import RANDOM_STATE, SEED

_MOST_POINTS = 1_000_000
_LEFT_OUT = 1000  # points in a row that do not fit in memory, before the file's order is left


class GridSampler(Unlearning):
    """Trial k is point k."""

    def __init__(self, problem: SearchProblem) -> None:
        self._points = GridPoints(problem.space)
        self._places = list(range(self._points.size))
        if SEED in problem.settings:
            random.Random(problem.settings[SEED]).shuffle(self._places)

    def draw(self, number: int, attempt: int) -> Assignments:
        return self._points.point(self._places[(number + attempt) % len(self._places)])


def _sampler(problem: SearchProblem) -> Sampler:
    endless = [
        error(
            f"spec.parameters.{number}.feasibleSpace",
            f"parameter {spec.name}: grid needs a feasibleSpace.step for every double, or a list of values",
        )
        for number, spec in enumerate(problem.space)
        if spec.count is None
    ]
    if endless:
        raise ExperimentError(*endless)
    size = GridPoints(problem.space).size
    if size > _MOST_POINTS:
        what = f"grid has {size} points here; that is no grid to train on"
        raise ExperimentError(error("spec.algorithm.algorithmName", what, "use another algorithm"))
    return GridSampler(problem)


ALGORITHM = Algorithm({SEED: RANDOM_STATE}, sampling(_sampler, _LEFT_OUT))
