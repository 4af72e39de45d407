"""Sobol's sequence: points that fill the space evenly, the more of them the finer."""

from __future__ import annotations

from collections.abc import Sequence

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.coordinates import coordinate
from boxtune.search.search import mixed


class SobolStrategy:
    """Trial k is point k of one scrambled sequence; it learns nothing."""

    def __init__(self, space: Sequence[ParameterSpec], seed: int) -> None:
        self._coordinates = {spec.name: coordinate(spec) for spec in space}
        self._seed = seed

    def draw(self, number: int, attempt: int) -> Assignments:
        from scipy.stats import qmc

        seed = self._seed if attempt == 0 else mixed(self._seed, number, attempt)
        sequence = qmc.Sobol(len(self._coordinates), scramble=True, rng=seed)
        if number:
            sequence.fast_forward(number)
        point = sequence.random(1)[0]
        pairs = zip(self._coordinates.items(), point, strict=True)
        return {name: each.decode(float(share)) for (name, each), share in pairs}

    def asked(self, number: int, assignments: Assignments) -> None:
        """A sequence learns nothing."""

    def ended(self, number: int, value: float) -> None:
        """A sequence learns nothing."""

    def observed(self, assignments: Assignments, value: float) -> None:
        """A sequence learns nothing."""
