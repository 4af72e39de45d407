"""Which points of a space have been suggested: in a finite one, none is suggested twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.coordinates import coordinate
from boxtune.search.grid_points import GridPoints
from boxtune.search.sampler import ATTEMPTS, mixed

_LOOKED_AT = 1000  # points at random, once draws have given none


def any_fits(assignments: Assignments) -> bool:
    """Where nothing is known of what does not."""
    return True


class FreshPoints:
    """A space's points that are left. A repeated training would only measure its noise."""

    def __init__(self, space: Sequence[ParameterSpec], seed: int) -> None:
        finite = all(spec.count is not None for spec in space)
        self._space = space
        self._points = GridPoints(space) if finite else None
        self._seed = seed
        self._suggested: set[tuple[str, ...]] = set()

    def take(self, assignments: Assignments) -> None:
        """A trial was asked for with `assignments`, which in a finite space may be none of its points."""
        if self._points is None or all(_is_point(spec, assignments.get(spec.name, "")) for spec in self._space):
            self._suggested.add(_key(assignments))

    def has(self, assignments: Assignments) -> bool:
        """Whether `assignments` were taken."""
        return _key(assignments) in self._suggested

    @property
    def left(self) -> int | None:
        """How many there are; None where the space is not finite."""
        return None if self._points is None else max(self._points.size - len(self._suggested), 0)

    def fresh(
        self,
        number: int,
        draw: Callable[[int], Assignments],
        fits: Callable[[Assignments], bool] = any_fits,
        attempts: int = ATTEMPTS,
    ) -> Assignments | None:
        """A point for trial `number` that was not taken and fits; None where there is none left, as far as was looked.

        Args:
            draw: gives one for each attempt, from 0.
            fits: whether a point may be suggested at all.
            attempts: to draw one, before one that is left is taken, from a drawn place on or at random.
        """
        if self._points is not None and not self.left:
            return None
        for attempt in range(attempts):
            assignments = draw(attempt)
            if self._is_new(assignments) and fits(assignments):
                return assignments
        return next(filter(fits, self.some(_LOOKED_AT, number)), None)

    def some(self, many: int, number: int = 0) -> Iterator[Assignments]:
        """At most so many points that are left: of a finite space from a drawn place of the grid on, else at random."""
        if self._points is None:
            yield from (self._at_random(number, attempt) for attempt in range(many))
            return
        size, found = self._points.size, 0
        start = mixed(self._seed, number) % size
        for step in range(size):
            point = self._points.point((start + step) % size)
            if self._is_new(point):
                yield point
                found += 1
            if found == many:
                return

    def _is_new(self, assignments: Assignments) -> bool:
        """Whether a point may be suggested; where there is no end of them, equal ones are chance, and rare."""
        return self._points is None or not self.has(assignments)

    def _at_random(self, number: int, attempt: int) -> Assignments:
        dice = random.Random(mixed(self._seed, number, ATTEMPTS + attempt))
        return {spec.name: coordinate(spec).decode(dice.random()) for spec in self._space}


def _is_point(spec: ParameterSpec, value: str) -> bool:
    return spec.contains(value) and spec.value_at(spec.index_of(value)) == value


def _key(assignments: Assignments) -> tuple[str, ...]:
    return tuple(assignments[name] for name in sorted(assignments))
