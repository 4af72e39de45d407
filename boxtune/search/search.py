"""The books of a search: what was suggested, what failed, and which points of a finite space are left."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.algorithm import Strategy
from boxtune.search.grid import Grid

ATTEMPTS = 16  # to draw a point that was not suggested yet, before one that is left is taken


class Search:
    """An `Algorithm` on any strategy.

    In a finite space no point is suggested twice: a repeated training would only measure its noise.
    """

    def __init__(self, space: Sequence[ParameterSpec], maximize: bool, seed: int, strategy: Strategy) -> None:
        """`space` must not be empty."""
        self._strategy = strategy
        self._maximize = maximize
        self._seed = seed
        self._grid = Grid(space) if all(spec.count is not None for spec in space) else None
        self._suggested: set[tuple[str, ...]] = set()
        self._failed: list[int] = []  # before there was any value to count them as
        self._worst: float | None = None

    def ask(self, number: int) -> Assignments | None:
        assignments = self._fresh(number)
        if assignments is not None:
            self.restore(number, assignments)
        return assignments

    def restore(self, number: int, assignments: Assignments) -> None:
        self._suggested.add(_key(assignments))
        self._strategy.asked(number, assignments)

    def tell(self, number: int, value: float | None) -> None:
        if value is None and self._worst is None:
            self._failed.append(number)
            return
        if value is not None:
            self._take_worst(value)
        assert self._worst is not None
        self._strategy.ended(number, self._worst if value is None else value)
        for failed in self._failed:
            self._strategy.ended(failed, self._worst)
        self._failed = []

    def observe(self, assignments: Assignments, value: float) -> None:
        self._take_worst(value)
        self._strategy.observed(assignments, value)

    def _fresh(self, number: int) -> Assignments | None:
        if self._grid is None:
            return self._strategy.draw(number, 0)
        if len(self._suggested) >= self._grid.size:
            return None
        for attempt in range(ATTEMPTS):
            assignments = self._strategy.draw(number, attempt)
            if _key(assignments) not in self._suggested:
                return assignments
        return self._left(number)

    def _left(self, number: int) -> Assignments:
        """One of the points that are left, from a drawn place of the grid on."""
        assert self._grid is not None
        start = mixed(self._seed, number) % self._grid.size
        points = (self._grid.point((start + step) % self._grid.size) for step in range(self._grid.size))
        return next(point for point in points if _key(point) not in self._suggested)

    def _take_worst(self, value: float) -> None:
        if self._worst is None:
            self._worst = value
        self._worst = min(self._worst, value) if self._maximize else max(self._worst, value)


def mixed(seed: int, *numbers: int) -> int:
    """A seed of 32 bits for one draw: neighbours must not resemble each other."""
    text = "/".join(map(str, (seed, *numbers)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _key(assignments: Assignments) -> tuple[str, ...]:
    return tuple(assignments[name] for name in sorted(assignments))
