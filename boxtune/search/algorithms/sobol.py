"""Sobol's sequence: points that fill the space evenly, the more of them the finer."""

from __future__ import annotations

from boxtune.experiment.space import Assignments
from boxtune.search.algorithm import Algorithm
from boxtune.search.coordinates import coordinate
from boxtune.search.policy import SearchProblem
from boxtune.search.sampler import Unlearning, mixed
from boxtune.search.sampling import sampling


class SobolSampler(Unlearning):
    """Trial k is point k of one scrambled sequence."""

    def __init__(self, problem: SearchProblem) -> None:
        self._coordinates = {spec.name: coordinate(spec) for spec in problem.space}
        self._seed = problem.seed

    def draw(self, number: int, attempt: int) -> Assignments:
        from scipy.stats import qmc

        seed = self._seed if attempt == 0 else mixed(self._seed, number, attempt)
        sequence = qmc.Sobol(len(self._coordinates), scramble=True, rng=seed)
        if number:
            sequence.fast_forward(number)
        point = sequence.random(1)[0]
        pairs = zip(self._coordinates.items(), point, strict=True)
        return {name: each.decode(float(share)) for (name, each), share in pairs}


# Katib's goptuna looks at no setting of sobol's, so it takes any.
ALGORITHM = Algorithm({}, sampling(SobolSampler), lambda name, text: True)
