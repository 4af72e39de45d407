"""Records' boxes, one image's at a time: what no training can take, and what teaches something that is not there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from trial_entry.finding import Finding, Severity
from trial_entry.records.features import SIDES, Faults

# Above it the API's evaluation ends in an assertion (`to_absolute_coordinates`); below 0 the same distance.
_MOST = 1.1
_LEEWAY = 0.01  # of the image: rounding, and edges counted from 1
_ANOTHER_UNIT = 2.0  # as shares, boxes that end beyond this would be larger than their image
_PERCENT = 100.0


def box_faults(sides: Sequence[Sequence[float]], width: int, height: int) -> Faults:
    """What is wrong with the boxes of an image, at most one of each kind.

    Args:
        sides: xmin, ymin, xmax and ymax of every box.
        width, height: of the image in pixels; 0 where that is not known.
    """
    xmin, ymin, xmax, ymax = sides
    if _are_plain(xmin, xmax) and _are_plain(ymin, ymax):
        return []
    found: dict[str, Finding] = {}
    for low_side, high_side, axis, pixels in ((0, 2, "width", width), (1, 3, "height", height)):
        for low, high in zip(sides[low_side], sides[high_side], strict=True):
            for kind, finding in _edge_faults((SIDES[low_side], low), (SIDES[high_side], high), axis, pixels):
                found.setdefault(kind, finding)
    return list(found.items())


def _are_plain(lows: Sequence[float], highs: Sequence[float]) -> bool:
    """Whether nothing can be wrong with these edges; NaN is not plain."""
    return all(-_LEEWAY <= low <= high <= 1 + _LEEWAY for low, high in zip(lows, highs, strict=True)) and not any(
        low >= 1 or high <= 0 for low, high in zip(lows, highs, strict=True)
    )


def _edge_faults(
    low: tuple[str, float], high: tuple[str, float], axis: str, pixels: int
) -> Iterator[tuple[str, Finding]]:
    """The gravest fault of a box along one axis, whose edges are (feature, value) each."""
    (low_name, lowest), (high_name, highest) = low, high
    for name, value in (low, high):
        if not math.isfinite(value):
            word = "NaN" if math.isnan(value) else "infinite"
            yield _fault(word, name, f"is {word}", "leave the box out")
            return
    for name, value in (high, low):
        if not 1 - _MOST <= value <= _MOST:
            what = f"is {value:g}{_unit(value, pixels)}"
            yield _fault("no share", name, what, f"it must be a share of the image's {axis}, from 0 to 1")
            return
    if lowest > highest:
        what = f"is {lowest:g}, above {high_name.rpartition('/')[2]}, which is {highest:g}"
        yield _fault("order", low_name, what, _swapped(low_name, high_name, axis))
        return
    name, value = (low_name, lowest) if lowest < -_LEEWAY or lowest >= 1 else (high_name, highest)
    if highest <= 0 or lowest >= 1:
        yield _fault("outside", name, f"is {value:g}: the box lies outside of the image", "leave it out")
    elif lowest < -_LEEWAY or highest > 1 + _LEEWAY:
        yield _fault("sticks out", name, f"is {value:g}: the box sticks out of the image", "cut it off", "warning")


def _fault(kind: str, feature: str, what: str, right: str, severity: Severity = "error") -> tuple[str, Finding]:
    """One kind for all four sides."""
    return f"box {kind}", Finding(severity, what, right, feature=feature)


def _swapped(low: str, high: str, axis: str) -> str:
    """What may be meant by a box whose edges stand the other way round: COCO and YOLO have its size in their place."""
    first, last = low.rpartition("/")[2], high.rpartition("/")[2]
    return f"swap them, or add {first} to {last} if that is the box's {axis}"


def _unit(value: float, pixels: int) -> str:
    """What the number may be instead of a share."""
    if value < _ANOTHER_UNIT:
        return ""
    return (
        " (in pixels?)" if value > _PERCENT or not pixels else f" (in pixels or percent? the image has {pixels} pixels)"
    )
