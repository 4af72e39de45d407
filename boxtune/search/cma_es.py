"""CMA-ES, an evolution strategy: a generation's best move and shape the distribution that the next is drawn from.

Numbers are a coordinate each. A categorical parameter has one coordinate a value, of which the largest is chosen, so
that it evolves too; Katib's goptuna draws it at random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.coordinates import coordinate
from boxtune.search.search import ATTEMPTS, mixed

_GROWTH = 2  # of the population at each IPOP restart


@dataclass(frozen=True)
class CmaEsSettings:
    """Katib's settings.

    Attributes:
        sigma: initial standard deviation, as a share of each range.
        restart: begin again with a larger population once the distribution has collapsed (IPOP).
    """

    sigma: float = 0.2
    restart: bool = False


class CmaEsStrategy:
    """Generations by trial numbers: a trial belongs to the generation that was drawn when it was asked for.

    Trials run in parallel, so more may be drawn of a generation than it needs; the first to end count.
    """

    def __init__(self, space: Sequence[ParameterSpec], maximize: bool, seed: int, settings: CmaEsSettings) -> None:
        self._genes = [_Gene(spec) for spec in space]
        self._sign = -1.0 if maximize else 1.0
        self._seed = seed
        self._settings = settings
        self._generation = 0
        self._asked: dict[int, tuple[int, Any]] = {}  # number: (generation, point)
        self._told: list[tuple[Any, float]] = []  # of this generation
        self._optimizer = self._make(4 + int(3 * math.log(self._size)))

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
        if self._settings.restart and self._optimizer.should_stop():
            self._optimizer = self._make(self._optimizer.population_size * _GROWTH)

    def observed(self, assignments: Assignments, value: float) -> None:
        """The baseline is no child of the distribution."""

    @property
    def _size(self) -> int:
        return sum(gene.size for gene in self._genes)

    def _sample(self, number: int, attempt: int) -> Any:
        self._optimizer.reseed_rng(mixed(self._seed, number, attempt))
        return self._optimizer.ask()

    def _decode(self, point: Any) -> Assignments:
        chosen, start = {}, 0
        for gene in self._genes:
            chosen[gene.name] = gene.decode(point[start : start + gene.size])
            start += gene.size
        return chosen

    def _encode(self, assignments: Assignments) -> Any:
        return np.concatenate([gene.encode(assignments[gene.name]) for gene in self._genes])

    def _make(self, population: int) -> Any:
        import cmaes

        return cmaes.CMA(
            mean=np.full(self._size, 0.5),
            sigma=self._settings.sigma,
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

    def encode(self, text: str) -> Any:
        if self._is_choice:
            return np.eye(self.size)[self._spec.index_of(text)]
        return np.array([self._coordinate.encode(text)])

    def decode(self, part: Any) -> str:
        if self._is_choice:
            return self._spec.value_at(int(np.argmax(part)))
        return self._coordinate.decode(float(part[0]))
