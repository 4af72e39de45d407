"""The points of a finite space, in the order of the file: the last parameter runs fastest."""

from __future__ import annotations

import math
from collections.abc import Sequence

from boxtune.experiment.space import Assignments, ParameterSpec


class GridPoints:
    """A finite space's points by their place."""

    def __init__(self, space: Sequence[ParameterSpec]) -> None:
        """Every parameter of `space` must have a count of values."""
        self._space = space
        self._counts = [spec.count or 0 for spec in space]

    @property
    def size(self) -> int:
        """The number of points."""
        return math.prod(self._counts)

    def point(self, place: int) -> Assignments:
        """The point at `place`, from 0."""
        chosen: list[str] = []
        for spec, count in zip(reversed(self._space), reversed(self._counts), strict=True):
            place, index = divmod(place, count)
            chosen.append(spec.value_at(index))
        return dict(zip((spec.name for spec in self._space), reversed(chosen), strict=True))
