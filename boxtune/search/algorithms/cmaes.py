"""CMA-ES, an evolution strategy: a generation's best move and shape the distribution that the next is drawn from.

Numbers are a coordinate each. A categorical parameter has one coordinate a value, of which the largest is chosen, so
that it evolves too; Katib's goptuna draws it at random.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from boxtune.errors import ExperimentError
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.problems import error
from boxtune.search.algorithm import Algorithm, Teaches
from boxtune.search.coordinates import coordinate
from boxtune.search.policy import SearchProblem
from boxtune.search.sampler import ATTEMPTS, Sampler, mixed
from boxtune.search.sampling import sampling
from boxtune.search.settings import RANDOM_STATE, SEED, SHARE, one_of
from boxtune.search.warm_start import whole_values

if TYPE_CHECKING:
    from cmaes import CMA

_GROWTH = 2  # of the population at each IPOP restart
_SIGMA = 0.2  # goptuna's own
_BEST = 0.1  # of earlier trials, around which a warm start begins
_LEAST_BEST = 3
_LEAST_NUMBERS = 2  # of parameters: one alone has no shape to learn
Point = NDArray[np.float64]


class CmaEsSampler:
    """Generations by trial numbers: a trial belongs to the generation that was drawn when it was asked for.

    Trials run in parallel, so more may be drawn of a generation than it needs; the first to end count.

    After earlier runs the first generation is drawn around their best trials, by the distribution of Nomura et al.,
    "Warm Starting CMA-ES" (2021). A restart begins in the middle, as without.
    """

    def __init__(self, problem: SearchProblem) -> None:
        self._genes = [_Gene(spec) for spec in problem.space]
        self._sign = -1.0 if problem.objective.maximize else 1.0
        self._seed = problem.seed
        self._sigma = float(problem.settings.get("sigma", _SIGMA))  # as a share of each range
        self._restart = problem.settings.get("restart_strategy") == "ipop"
        self._generation = 0
        self._asked: dict[int, tuple[int, Point]] = {}  # number: (generation, point)
        self._told: list[tuple[Point, float]] = []  # of this generation
        population = 4 + int(3 * math.log(self._size))
        self._optimizer = self._make_warm(whole_values(problem), population) or self._make(population)

    def draw(self, number: int, attempt: int) -> Assignments:
        return self._decode(self._sample(number, attempt))

    def asked(self, number: int, assignments: Assignments) -> None:
        """What the generation learns from is the point that was drawn, which the seed gives again; assignments that
        no draw gave (the space was nearly used up) count as their own point.
        """
        draws = (self._sample(number, attempt) for attempt in range(ATTEMPTS))
        point = next((point for point in draws if self._decode(point) == assignments), None)
        self._asked[number] = (self._generation, self._encode(assignments) if point is None else point)

    def ended(self, number: int, value: float) -> None:
        generation, point = self._asked.pop(number)
        if generation == self._generation:
            self._told.append((point, self._sign * value))
        if len(self._told) < self._optimizer.population_size:
            return
        self._optimizer.tell(self._told)
        self._told = []
        self._generation += 1
        if self._restart and self._optimizer.should_stop():
            self._optimizer = self._make(self._optimizer.population_size * _GROWTH)

    def observed(self, assignments: Assignments, value: float) -> None:
        """The baseline is no child of the distribution."""

    @property
    def _size(self) -> int:
        return sum(gene.size for gene in self._genes)

    def _sample(self, number: int, attempt: int) -> Point:
        self._optimizer.reseed_rng(mixed(self._seed, number, attempt))
        drawn: Point = self._optimizer.ask()
        return drawn

    def _decode(self, point: Point) -> Assignments:
        chosen, start = {}, 0
        for gene in self._genes:
            chosen[gene.name] = gene.decode(point[start : start + gene.size])
            start += gene.size
        return chosen

    def _encode(self, assignments: Assignments) -> Point:
        return np.concatenate([gene.encode(assignments[gene.name]) for gene in self._genes])

    def _make_warm(self, earlier: Sequence[tuple[Assignments, float]], population: int) -> CMA | None:
        """Around the best of earlier trials (assignments, value); None where there are too few."""
        if len(earlier) < _LEAST_BEST:
            return None
        from cmaes import get_warm_start_mgd

        solutions = [(self._encode(assignments), self._sign * value) for assignments, value in earlier]
        many = max(_LEAST_BEST, int(_BEST * len(earlier)))
        # Half a solution more, so that rounding takes none away.
        mean, sigma, shape = get_warm_start_mgd(solutions, min((many + 0.5) / len(earlier), 1.0), self._sigma)
        return self._make(population, mean, sigma, shape)

    def _make(
        self, population: int, mean: Point | None = None, sigma: float | None = None, shape: Point | None = None
    ) -> CMA:
        import cmaes

        return cmaes.CMA(
            mean=np.full(self._size, 0.5) if mean is None else mean,
            sigma=self._sigma if sigma is None else sigma,
            cov=shape,
            bounds=np.tile([0.0, 1.0], (self._size, 1)),
            seed=self._seed,
            population_size=population,
        )


class _Gene:
    """One parameter's part of a point."""

    def __init__(self, spec: ParameterSpec) -> None:
        self.name = spec.name
        self._spec = spec
        self._coordinate = coordinate(spec)
        self._is_choice = spec.parameter_type == "categorical" and len(spec.values) > 1
        self.size = len(spec.values) if self._is_choice else 1

    def encode(self, text: str) -> Point:
        if self._is_choice:
            chosen: Point = np.eye(self.size)[self._spec.index_of(text)]
            return chosen
        return np.array([self._coordinate.encode(text)])

    def decode(self, part: Point) -> str:
        if self._is_choice:
            return self._spec.value_at(int(np.argmax(part)))
        return self._coordinate.decode(float(part[0]))


def _sampler(problem: SearchProblem) -> Sampler:
    numbers = [spec for spec in problem.space if spec.parameter_type in ("double", "int")]
    if len(numbers) < _LEAST_NUMBERS:
        what = f"cmaes needs two double or int parameters, there are {len(numbers)}"
        raise ExperimentError(error("spec.parameters", what))
    return CmaEsSampler(problem)


def _goptuna_takes(name: str, text: str) -> bool:
    """Whether Katib's goptuna takes a setting: it asks for a number, not for a range, and passes over names that it
    does not know (`toGoptunaSampler` in its converter.go). Its sigma is in the parameters' own units.
    """
    if name == "restart_strategy":
        return text in ("none", "ipop", "bipop")
    if name == "random_state":
        return re.fullmatch(r"[+-]?[0-9]+", text) is not None
    return name != "sigma" or re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) is not None


ALGORITHM = Algorithm(
    {"sigma": SHARE, "restart_strategy": one_of("none", "ipop"), SEED: RANDOM_STATE},
    sampling(_sampler),
    _goptuna_takes,
    Teaches.WHOLE,
)
