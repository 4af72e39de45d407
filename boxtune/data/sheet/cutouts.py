"""Data's tiles: a picked image, or the part of it that matters, small, with its boxes in the tile's pixels."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from boxtune.data.sheet.survey import Pick, class_name
from trial_entry.images.pixels import Undecodable, loaded, opened
from trial_entry.records.detection_example import DetectionExample, ExampleObject

EDGE = 320  # pixels of a tile's longer side
_SMALL = 8  # times in the image's longer side: an object below that is shown with its surroundings alone
_SURROUNDINGS = 6  # times the object
_LEAST_PART = 48  # pixels
_LARGEST_ZOOM = 8
_PIXELATED = 2  # zoom from which pixels are shown as they are
_BEYOND = 0.5  # of the image, how far outside is shown
_AS_SHARES = 2.0  # a greater edge is in pixels
_LEAST_BOX = 1.0  # pixels of a tile, so that a box without an area is seen
_MOST_BOXES = 200  # drawn in one tile besides those that it is about
_FEW = 4  # classes that are named
_QUALITY = 82
_OUTSIDE_COLOUR = (128, 128, 128)
_EIGHT_BITS = 255
_Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class TileBox:
    """One box.

    Attributes:
        x, y, width, height: in the tile's pixels.
        label: its class.
        marked: whether the tile is about it.
    """

    x: float
    y: float
    width: float
    height: float
    label: str
    marked: bool


@dataclass(frozen=True)
class Tile:
    """One picture of a contact sheet.

    Attributes:
        jpeg: the picture without boxes; empty where the image cannot be decoded.
        width, height: of it, in pixels.
        boxes: those that it is about last, so that they are drawn over the others.
        note: what is to be seen.
        classes: what is in the image.
        place: file, record and the image's own name.
    """

    jpeg: bytes
    width: int
    height: int
    boxes: Sequence[TileBox]
    note: str
    classes: str
    place: str


def make_tile(example: DetectionExample, pick: Pick) -> Tile:
    """The tile of what was picked of `example`."""
    place = f"{pick.place.file.name}, record {pick.place.number}"
    if example.filename:
        place += f": {example.filename}"
    words = (pick.note, _classes(example.objects, pick.objects), place)
    try:
        with opened(example.encoded) as image:
            region = _region(image.size, example.objects, pick.objects)
            scale = min(EDGE / max(region[2] - region[0], region[3] - region[1]), _LARGEST_ZOOM)
            boxes = tuple(_boxes(example.objects, pick.objects, image.size, region, scale))
            picture = _part(image, region, scale)
    except Undecodable:
        return Tile(b"", EDGE, EDGE * 3 // 4, (), *words)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=_QUALITY)
    return Tile(encoded.getvalue(), picture.width, picture.height, boxes, *words)


def _classes(objects: Sequence[ExampleObject], marked: Sequence[int]) -> str:
    """Those of the marked objects first, each with its number."""
    first = Counter(class_name(objects[number]) for number in marked)
    others = Counter(class_name(each) for number, each in enumerate(objects) if number not in marked)
    if not objects:
        return "no object"
    named = [f"{count} × {name}" if count > 1 else name for name, count in first.most_common()]
    besides = [f"{count} × {name}" if count > 1 else name for name, count in others.most_common(_FEW)]
    more = f" and {len(others) - _FEW} more classes" if len(others) > _FEW else ""
    if not named:
        return ", ".join(besides) + more
    return ", ".join(named) + (f"; besides {', '.join(besides)}{more}" if besides else "")


def _region(size: tuple[int, int], objects: Sequence[ExampleObject], marked: Sequence[int]) -> _Region:
    """What is shown, in the image's pixels: left, top, right, bottom; it may reach beyond the image's edges."""
    width, height = size
    boxes = [box for number in marked if (box := _clipped(objects[number], size)) is not None]
    if not boxes:
        return 0.0, 0.0, float(width), float(height)
    left, top = (min(box[side] for box in boxes) for side in (0, 1))
    right, bottom = (max(box[side] for box in boxes) for side in (2, 3))
    longest = max(right - left, bottom - top)
    if longest * _SMALL > max(width, height):
        return min(0.0, left), min(0.0, top), max(width, right), max(height, bottom)
    part = max(longest * _SURROUNDINGS, _LEAST_PART)
    across, up = min(part, max(width, right - left)), min(part, max(height, bottom - top))
    begin_x = min(max((left + right - across) / 2, min(0.0, left)), max(width, right) - across)
    begin_y = min(max((top + bottom - up) / 2, min(0.0, top)), max(height, bottom) - up)
    return begin_x, begin_y, begin_x + across, begin_y + up


def _clipped(each: ExampleObject, size: tuple[int, int]) -> _Region | None:
    """A box in pixels, cut where it is too far outside to be shown; None where it has no place in it."""
    sides = (each.xmin, each.ymin, each.xmax, each.ymax)
    if not all(math.isfinite(side) and abs(side) < _AS_SHARES for side in sides):
        return None
    left, top, right, bottom = (min(max(side, -_BEYOND), 1 + _BEYOND) for side in sides)
    left, right, top, bottom = min(left, right), max(left, right), min(top, bottom), max(top, bottom)
    return left * size[0], top * size[1], right * size[0], bottom * size[1]


def _boxes(
    objects: Sequence[ExampleObject], marked: Sequence[int], size: tuple[int, int], region: _Region, scale: float
) -> Iterator[TileBox]:
    others = [number for number in range(len(objects)) if number not in marked]
    for number in (*others[:_MOST_BOXES], *marked):
        box = _clipped(objects[number], size)
        if box is None or box[0] > region[2] or box[2] < region[0] or box[1] > region[3] or box[3] < region[1]:
            continue
        x, y = (box[0] - region[0]) * scale, (box[1] - region[1]) * scale
        across, up = (max(_LEAST_BOX, (box[end] - box[end - 2]) * scale) for end in (2, 3))
        yield TileBox(
            round(x, 1), round(y, 1), round(across, 1), round(up, 1), class_name(objects[number]), number in marked
        )


def _part(image: Image.Image, region: _Region, scale: float) -> Image.Image:
    """`region` of the image, scaled, in RGB; grey beyond its edges. Not turned by EXIF: TensorFlow does not either."""
    width, height = image.size
    left, top, right, bottom = region
    if (left, top, right, bottom) == (0, 0, width, height) and scale < 1:
        image.draft("RGB", (math.ceil(width * scale), math.ceil(height * scale)))
    loaded(image)
    drawn = image.width / width  # below 1 where a JPEG was decoded at a fraction of its size
    inner = [round(each * drawn) for each in (max(0.0, left), max(0.0, top), min(width, right), min(height, bottom))]
    inner = [inner[0], inner[1], max(inner[2], inner[0] + 1), max(inner[3], inner[1] + 1)]
    picture = _rgb(image.crop(tuple(inner)))
    zoom = scale / drawn
    size = [max(1, round(edge * zoom)) for edge in picture.size]
    how = Image.Resampling.NEAREST if zoom >= _PIXELATED else Image.Resampling.BILINEAR
    picture = picture.resize(tuple(size), how)
    canvas_size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    canvas = Image.new("RGB", canvas_size, _OUTSIDE_COLOUR)
    canvas.paste(picture, (round(max(0.0, -left) * scale), round(max(0.0, -top) * scale)))
    return canvas


def _rgb(image: Image.Image) -> Image.Image:
    """Eight bits a channel; of deeper ones the range that is there."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image, float)
        low, high = values.min(), values.max()
        image = Image.fromarray(((values - low) / max(high - low, 1e-9) * _EIGHT_BITS).astype(np.uint8))
    return image.convert("RGB")
