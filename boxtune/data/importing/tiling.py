"""Data's tiles: windows of an image that overlap, and the boxes that are visible in each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from boxtune.data.annotations import AnnotatedObject
from boxtune.errors import InputError
from trial_entry.images.pixels import Size
from trial_entry.images.rasters import Window

_LEAST_VISIBLE = 0.1  # of an object, or of what a tile can hold of it: SAHI's share
_MOST_OVERLAP = 0.9  # of a tile's side: with more there are hundreds of tiles for each pixel
_NO_PIXEL = 1.0  # a visible part narrower than this is no box


@dataclass(frozen=True)
class Tiling:
    """How images are cut.

    Attributes:
        width, height: of a tile, in pixels.
        overlap: of neighbours, in pixels.
        empty: the share of tiles without an object that is kept.
    """

    width: int
    height: int
    overlap: int
    empty: float

    def windows(self, size: Size) -> list[Window]:
        """Tiles that cover an image and do not leave it: the last of a row is moved back to the edge."""
        return [
            (left, top, right, lower)
            for top, lower in _along(size[1], self.height, self.overlap)
            for left, right in _along(size[0], self.width, self.overlap)
        ]


@dataclass(frozen=True)
class Tile:
    """One tile.

    Attributes:
        window: where it lies in the image.
        objects: what is visible of them, from the tile's corner.
        dropped: objects of which too little is visible to be a box.
    """

    window: Window
    objects: tuple[AnnotatedObject, ...]
    dropped: int


def parse_tiling(size: str, overlap: float, empty: float) -> Tiling:
    """`640` or `640x480`; an overlap below 1 is a share of the smaller side, from 1 on pixels.

    Raises:
        InputError: no sizes, or an overlap that leaves no step from tile to tile.
    """
    sides = size.lower().replace("×", "x").split("x")
    if len(sides) > 2 or not all(side.strip().isdecimal() and int(side) > 0 for side in sides):  # noqa: PLR2004
        raise InputError(f'--tile "{size}": write 640, or 640x480')
    width, height = int(sides[0]), int(sides[-1])
    pixels = round(overlap * min(width, height)) if overlap < 1 else round(overlap)
    if not 0 <= pixels <= _MOST_OVERLAP * min(width, height):
        raise InputError(f"--overlap {overlap:g}: a share of the tile from 0 to {_MOST_OVERLAP}, or as many pixels")
    return Tiling(width, height, pixels, empty)


def tiles(objects: Sequence[AnnotatedObject], size: Size, tiling: Tiling, key: str) -> list[Tile]:
    """The tiles of an image that are kept.

    Args:
        key: decides which empty ones are kept: the same key, the same tiles.
    """
    found = []
    for window in tiling.windows(size):
        tile = _cut(objects, window)
        if tile.objects or _is_drawn(key, window, tiling.empty):
            found.append(tile)
    return found


def _cut(objects: Sequence[AnnotatedObject], window: Window) -> Tile:
    left, top, right, lower = window
    kept, dropped = [], 0
    for each in objects:
        xmin, ymin, xmax, ymax = each.box
        cut = (max(xmin, left), max(ymin, top), min(xmax, right), min(ymax, lower))
        width, height = cut[2] - cut[0], cut[3] - cut[1]
        if width <= 0 or height <= 0:
            continue
        most = min(xmax - xmin, right - left) * min(ymax - ymin, lower - top)
        if min(width, height) < min(_NO_PIXEL, xmax - xmin, ymax - ymin) or width * height < _LEAST_VISIBLE * most:
            dropped += 1
            continue
        box = (cut[0] - left, cut[1] - top, cut[2] - left, cut[3] - top)
        kept.append(replace(each, box=box, truncated=each.truncated or cut != each.box))
    return Tile(window, tuple(kept), dropped)


def _along(side: int, tile: int, overlap: int) -> list[tuple[int, int]]:
    if side <= tile:
        return [(0, side)]
    starts = [*range(0, side - tile, tile - overlap), side - tile]
    return [(start, start + tile) for start in starts]


def _is_drawn(key: str, window: Window, share: float) -> bool:
    digest = hashlib.sha256(f"{key}:{window}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / (1 << 64) < share
