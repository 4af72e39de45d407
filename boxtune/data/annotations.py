"""Data's own words: an annotated image with its objects, as every format's reader gives it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Box = tuple[float, float, float, float]  # xmin, ymin, xmax, ymax: edges
Written = Literal["corners", "corner and size", "centre and size"]


@dataclass(frozen=True)
class AnnotatedObject:
    """One box as it was written.

    Attributes:
        label: the class's name.
        box: edges, in pixels, or in shares where its image says so.
        place: where it is written, such as `a.json: annotations[3] (id 17)`.
        is_crowd: COCO's: a region of many, no object of its own.
        difficult, truncated: Pascal VOC's flags.
        group_of: Open Images': one box around several.
    """

    label: str
    box: Box
    place: str
    is_crowd: bool = False
    difficult: bool = False
    truncated: bool = False
    group_of: bool = False


@dataclass(frozen=True)
class AnnotatedImage:
    """One image and what was written about it.

    Attributes:
        name: its file, relative to the data set, with `/`; no two images have the same.
        file: where it lies.
        place: where it is written, for messages.
        size: width and height as written; None where nothing or 0 is.
        objects: its boxes; empty for background.
        shares: whether boxes are shares of width and height rather than pixels.
        split: the one that the data put it in; empty where they have none.
        group: what must stay in one split with it; empty where the data say nothing.
        offset: of its record in `file`, where that is a TFRecord; -1 otherwise.
    """

    name: str
    file: Path
    place: str
    size: tuple[int, int] | None = None
    objects: tuple[AnnotatedObject, ...] = ()
    shares: bool = False
    split: str = ""
    group: str = ""
    offset: int = -1


@dataclass(frozen=True)
class Annotations:
    """What a format's reader gives.

    Attributes:
        format: its name, for people.
        files: what was read, in the order of reading; complete once `images` has ended.
        images: one after the other, as a stream.
        classes: declared names in the order of their ids; complete once `images` has ended. Empty where the format has
            no list of them: then they are those that are met.
        written: what the four numbers of a box are in this format.
    """

    format: str
    files: list[Path]
    images: Iterator[AnnotatedImage]
    classes: list[str]
    written: Written = "corner and size"


def hull(points: Iterable[Sequence[float]]) -> Box:
    """The smallest box around points of (x, y)."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def rotated(box: Box, degrees: float, about: tuple[float, float] | None = None) -> Box:
    """The smallest box around `box` turned clockwise (as seen) by `degrees`, about its centre or another point."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x0, y0 = about or ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    corners = [(x - x0, y - y0) for x in (box[0], box[2]) for y in (box[1], box[3])]
    return hull((x0 + x * cosine - y * sine, y0 + x * sine + y * cosine) for x, y in corners)
