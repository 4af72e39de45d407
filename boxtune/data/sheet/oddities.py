"""Data's oddities: boxes of one image that look wrong, so that somebody looks at them first.

None of them need be a mistake: a lamp post is long, and a close-up fills its picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxtune.data.sheet.sizes import encoded_size
from trial_entry.records.detection_example import DetectionExample, ExampleObject

_OUTSIDE = 0.5  # pixels; rounding is no mistake
_TINY = 4  # pixels of the shorter side
_LONG = 10  # long side to short side
_SAME = 0.9  # IoU from which two boxes are of one object
_ALL = 0.99  # of each side of the image
_AS_SHARES = 2.0  # a greater edge is in pixels


@dataclass(frozen=True)
class Oddity:
    """Something odd about one image.

    Attributes:
        kind: a key of KINDS.
        objects: the places of the boxes in the example; empty where the image itself is odd.
        rank: the odder of two of a kind has the greater one.
        what: in words, with numbers.
    """

    kind: str
    objects: tuple[int, ...]
    rank: float
    what: str


# In the order in which they are shown, each as a heading's text.
KINDS: Mapping[str, str] = {
    "unreadable": "Images that cannot be read",
    "size": "Images of another size than the record says",
    "flat": "Boxes without an area",
    "outside": "Boxes that reach out of their image",
    "class": "Boxes without a class of the label map",
    "classes": "One box, two classes",
    "twice": "One object boxed twice",
    "tiny": "Boxes of a few pixels",
    "long": "Boxes far longer than wide",
    "all": "Boxes as large as their image",
}


def oddities(example: DetectionExample, has_labels: bool) -> Iterator[Oddity]:
    """Everything odd about `example`.

    Args:
        has_labels: whether there is a label map that a class can be missing from.
    """
    header = encoded_size(example.encoded)
    if header is None:
        yield Oddity("unreadable", (), 0.0, "no image that can be opened")
    width, height = (example.width, example.height) if example.width > 0 and example.height > 0 else header or (0, 0)
    if header is not None and (width, height) != header:
        yield Oddity("size", (), 0.0, f"the record says {width} × {height}, the image is {header[0]} × {header[1]}")
    for number, each in enumerate(example.objects):
        if has_labels and each.label < 1:
            what = f'"{each.text}" is not in the label map' if each.text else "neither number nor name"
            yield Oddity("class", (number,), 0.0, what)
        if not (each.xmax > each.xmin and each.ymax > each.ymin):
            yield Oddity("flat", (number,), 0.0, _edges(each))
        elif width and height:
            for look in _LOOKS:
                if (found := look(number, each, width, height)) is not None:
                    yield found
    yield from _overlapping(example.objects)


def _edges(each: ExampleObject) -> str:
    return f"xmin {each.xmin:.4g}, xmax {each.xmax:.4g}, ymin {each.ymin:.4g}, ymax {each.ymax:.4g}"


def _outside(number: int, each: ExampleObject, width: int, height: int) -> Oddity | None:
    beyond = max(-each.xmin * width, (each.xmax - 1) * width, -each.ymin * height, (each.ymax - 1) * height)
    if beyond <= _OUTSIDE:
        return None
    if max(each.xmax, each.ymax) > _AS_SHARES:
        return Oddity("outside", (number,), math.inf, f"{_edges(each)}: pixels, where shares of the image belong")
    return Oddity("outside", (number,), beyond, f"{beyond:.3g} pixels beyond the edge")


def _tiny(number: int, each: ExampleObject, width: int, height: int) -> Oddity | None:
    across, up = (each.xmax - each.xmin) * width, (each.ymax - each.ymin) * height
    if min(across, up) >= _TINY:
        return None
    return Oddity("tiny", (number,), -across * up, f"{across:.3g} × {up:.3g} pixels")


def _long(number: int, each: ExampleObject, width: int, height: int) -> Oddity | None:
    across, up = (each.xmax - each.xmin) * width, (each.ymax - each.ymin) * height
    ratio = max(across, up) / min(across, up)
    if ratio < _LONG:
        return None
    way = "longer than high" if across > up else "higher than wide"
    return Oddity("long", (number,), ratio, f"{ratio:.3g} times {way}: {across:.3g} × {up:.3g} pixels")


def _all(number: int, each: ExampleObject, width: int, height: int) -> Oddity | None:
    least = min(min(1.0, each.xmax) - max(0.0, each.xmin), min(1.0, each.ymax) - max(0.0, each.ymin))
    return Oddity("all", (number,), least, f"at least {least:.0%} of each side") if least >= _ALL else None


_LOOKS: tuple[Callable[[int, ExampleObject, int, int], Oddity | None], ...] = (_outside, _tiny, _long, _all)


def _overlapping(objects: Sequence[ExampleObject]) -> Iterator[Oddity]:
    """Pairs of boxes that are nearly the same; crowds lie over their members."""
    single = [number for number, each in enumerate(objects) if not (each.is_crowd or each.group_of)]
    if len(single) < 2:  # noqa: PLR2004 (a pair)
        return
    boxes = np.array([[objects[n].xmin, objects[n].ymin, objects[n].xmax, objects[n].ymax] for n in single])
    for place, number in enumerate(single[:-1]):
        shared = _shared(boxes[place], boxes[place + 1 :])
        for other in np.flatnonzero(shared >= _SAME):
            pair = (number, single[place + 1 + int(other)])
            first, second = (objects[each] for each in pair)
            same = (first.label, first.text) == (second.label, second.text)
            yield Oddity(
                "twice" if same else "classes", pair, float(shared[other]), f"they overlap by IoU {shared[other]:.2f}"
            )


def _shared(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """IoU of one box with others; 0 where one has no area."""
    edges = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = np.where((edges > 0).all(1), edges.prod(1), 0.0)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - common
    return np.asarray(np.divide(common, union, out=np.zeros(len(others)), where=union > 0))
