"""A space as a cube: points as rows of numbers from 0 to 1, in which a model measures distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.coordinates import Coordinate, coordinate
from boxtune.search.gaussian_process import Array

_CHOSEN = 0.5  # the column of a choice that is taken: two choices are 0.7 apart, as two points of a range may be
_NEW_CHOICE = 0.25  # how often a point nearby has another choice


@dataclass(frozen=True)
class _Edge:
    """One parameter: its coordinate, and its number of choices where these have no order."""

    spec: ParameterSpec
    coordinate: Coordinate
    choices: int
    bins: int


class Cube:
    """Points have one coordinate from 0 to 1 a parameter; a model sees one column for each, or for each choice."""

    def __init__(self, space: Sequence[ParameterSpec]) -> None:
        self._edges = [_edge(spec) for spec in space]

    @property
    def groups(self) -> list[int]:
        """The parameter that each column of a model's belongs to."""
        return [number for number, edge in enumerate(self._edges) for _ in range(edge.choices or 1)]

    @property
    def size(self) -> int:
        """The number of parameters."""
        return len(self._edges)

    @property
    def middle(self) -> Array:
        """The point in the middle of every range."""
        return np.full(self.size, 0.5)

    def point(self, assignments: Assignments) -> Array:
        """The coordinates of `assignments`, which lie in the space."""
        return np.array([edge.coordinate.encode(assignments[edge.spec.name]) for edge in self._edges])

    def assignments(self, point: Array) -> Assignments:
        """Those of a point."""
        pairs = zip(self._edges, point, strict=True)
        return {edge.spec.name: edge.coordinate.decode(float(share)) for edge, share in pairs}

    def columns(self, points: Array) -> Array:
        """Points (points, parameters) as a model sees them: a bin by its middle, each choice in its own column."""
        columns = []
        for edge, shares in zip(self._edges, points.T, strict=True):
            places = np.minimum(np.floor(shares * edge.bins), edge.bins - 1) if edge.bins else shares
            if edge.choices:
                columns += [np.where(places == choice, _CHOSEN, 0.0) for choice in range(edge.choices)]
            else:
                columns.append((places + 0.5) / edge.bins if edge.bins else shares)
        return np.stack(columns, axis=1)

    def near(self, point: Array, spread: float, count: int, dice: np.random.Generator) -> Array:
        """`count` points around one: ranges moved by about `spread`, one choice in four drawn anew."""
        moved = point + dice.normal(0.0, spread, (count, self.size))
        moved = 1.0 - np.abs(1.0 - np.abs(moved))  # reflected at both ends, so that none is piled up there
        anew = dice.random((count, self.size))
        for number, edge in enumerate(self._edges):
            if edge.choices:
                moved[:, number] = np.where(dice.random(count) < _NEW_CHOICE, anew[:, number], point[number])
        return np.clip(moved, 0.0, 1.0)


def _edge(spec: ParameterSpec) -> _Edge:
    count = spec.count if spec.values or spec.distribution == "uniform" else None
    return _Edge(spec, coordinate(spec), len(spec.values) if spec.parameter_type == "categorical" else 0, count or 0)
