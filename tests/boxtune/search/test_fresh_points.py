"""Points that are left of a space."""

from __future__ import annotations

from boxtune.experiment.space import ParameterSpec
from boxtune.search.fresh_points import FreshPoints

GRID = (ParameterSpec("size", "int", 8, 32, 8),)


def test_what_lies_between_the_points_takes_none() -> None:
    """As a base config's own value may."""
    points = FreshPoints(GRID, 0)
    points.take({"size": "12"})
    assert points.left == 4
    points.take({"size": "16"})
    assert points.left == 3
    assert {each["size"] for each in points.some(10)} == {"8", "24", "32"}
