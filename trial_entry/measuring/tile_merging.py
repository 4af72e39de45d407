"""Measuring's merging of tiles: one box for each object of a large image that was looked at in parts that overlap.

An object in two tiles' common part gives a box in each, and one that a tile's edge cuts gives parts. SAHI's GREEDYNMM
joins boxes of which one holds most of the other (intersection over the smaller), wherever they come from; here only
boxes of different tiles are joined, since within one tile the model's own suppression has decided, and two boxes are
the same object where

- they overlap as duplicates do (IoU), or
- they agree about what both tiles see: cut to the tiles' common part, they overlap so, or
- a part that a tile's edge cut lies within the other (intersection over the part).

Joined boxes have at most one box of each tile, so that a row of objects does not become one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]  # [n, 4]: left, top, right, lower, in pixels of the image
_DUPLICATES = 0.5  # IoU
_CONTAINED = 0.75  # of a cut part
_NEAR = 0.02  # of a tile's side: how near to its edge a cut box ends
_LEAST_NEAR = 2.0  # pixels
_LEAST_COMMON = 4.0  # pixels of a common part that a box must reach into to say anything


@dataclass(frozen=True)
class TileDetections:
    """What was found in one tile.

    Attributes:
        window: left, top, right, lower in pixels of the image.
        boxes: of the image, not of the tile.
        classes: [n].
        scores: [n].
    """

    window: tuple[int, int, int, int]
    boxes: Boxes
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class Merged:
    """What is in the image, the surest first; arrays as in TileDetections."""

    boxes: Boxes
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class _All:
    """Every box of every tile, in one row."""

    boxes: Boxes
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]
    tiles: NDArray[np.int64]
    cut: NDArray[np.bool_]


def merge_tiles(tiles: list[TileDetections], size: tuple[int, int]) -> Merged:
    """One box for each object.

    A box that no edge cuts is kept as it is, the surest of them; of cut parts alone the box around them. The score is
    the highest.

    Args:
        size: width and height of the image.
    """
    all_boxes = _joined(tiles, size)
    groups = _groups(all_boxes, tiles)
    boxes, classes, scores = [], [], []
    for members in groups:
        scores.append(float(all_boxes.scores[members].max()))
        classes.append(int(all_boxes.classes[members[0]]))
        boxes.append(_box_of(all_boxes, members))
    order = np.argsort(-np.array(scores), kind="stable") if scores else np.zeros(0, np.int64)
    return Merged(
        np.array(boxes, np.float64).reshape(-1, 4)[order],
        np.array(classes, np.int64)[order],
        np.array(scores, np.float64)[order],
    )


def _joined(tiles: list[TileDetections], size: tuple[int, int]) -> _All:
    def row(arrays: list[NDArray[np.generic]], empty: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.concatenate([empty, *arrays])

    return _All(
        row([each.boxes for each in tiles], np.zeros((0, 4))).astype(np.float64),
        row([each.classes for each in tiles], np.zeros(0, np.int64)).astype(np.int64),
        row([each.scores for each in tiles], np.zeros(0)).astype(np.float64),
        row([np.full(len(each.scores), place) for place, each in enumerate(tiles)], np.zeros(0, int)).astype(np.int64),
        row([_cut(each, size) for each in tiles], np.zeros(0, bool)).astype(np.bool_),
    )


def _cut(tile: TileDetections, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which boxes end at an edge of their tile that is none of the image."""
    left, top, right, lower = tile.window
    near_x = max(_LEAST_NEAR, _NEAR * (right - left))
    near_y = max(_LEAST_NEAR, _NEAR * (lower - top))
    found = np.zeros(len(tile.scores), np.bool_)
    found |= (tile.boxes[:, 0] <= left + near_x) & (left > 0)
    found |= (tile.boxes[:, 1] <= top + near_y) & (top > 0)
    found |= (tile.boxes[:, 2] >= right - near_x) & (right < size[0])
    found |= (tile.boxes[:, 3] >= lower - near_y) & (lower < size[1])
    return found


def _groups(found: _All, tiles: list[TileDetections]) -> list[list[int]]:
    """Boxes that are one object, as their places; the most alike pairs are joined first."""
    pairs = sorted(_pairs(found, tiles), reverse=True)
    group_of = {place: {place} for place in range(len(found.scores))}
    for _, one, other in pairs:
        first, second = group_of[one], group_of[other]
        if first is second or {*found.tiles[list(first)]} & {*found.tiles[list(second)]}:
            continue
        first |= second
        for place in second:
            group_of[place] = first
    return [sorted(each) for each in {id(each): each for each in group_of.values()}.values()]


def _pairs(found: _All, tiles: list[TileDetections]) -> list[tuple[float, int, int]]:
    """Pairs that are the same object, with how alike they are."""
    pairs: list[tuple[float, int, int]] = []
    places = [np.flatnonzero(found.tiles == place) for place in range(len(tiles))]
    for one in range(len(tiles)):
        for other in range(one + 1, len(tiles)):
            common = _common(tiles[one].window, tiles[other].window)
            if common is None or not len(places[one]) or not len(places[other]):
                continue
            alike = _alike(found, places[one], places[other], common)
            for row, column in np.argwhere(alike > 0):
                pairs.append((float(alike[row, column]), int(places[one][row]), int(places[other][column])))
    return pairs


def _common(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> Boxes | None:
    """What both windows have; None where that is nothing."""
    part = np.array([max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])], float)
    return part if part[0] < part[2] and part[1] < part[3] else None


def _alike(found: _All, ours: NDArray[np.intp], theirs: NDArray[np.intp], common: Boxes) -> NDArray[np.float64]:
    """[ours, theirs]: how alike two boxes are that are the same object; 0 where they are not."""
    a, b = found.boxes[ours], found.boxes[theirs]
    shares = _ious(a, b)
    alike = np.where(shares >= _DUPLICATES, shares, 0.0)
    cut = found.cut[ours][:, None] | found.cut[theirs][None, :]
    seen_a, seen_b = _clipped(a, common), _clipped(b, common)
    enough = (_least_side(seen_a) >= _LEAST_COMMON)[:, None] & (_least_side(seen_b) >= _LEAST_COMMON)[None, :]
    agreed = _ious(seen_a, seen_b)
    alike = np.maximum(alike, np.where(cut & enough & (agreed >= _DUPLICATES), agreed, 0.0))
    within_b, within_a = _within(a, b), _within(b, a).T
    part_a = np.where(found.cut[ours][:, None] & (within_b >= _CONTAINED), within_b, 0.0)
    part_b = np.where(found.cut[theirs][None, :] & (within_a >= _CONTAINED), within_a, 0.0)
    alike = np.maximum(alike, np.maximum(part_a, part_b))
    return np.where(found.classes[ours][:, None] == found.classes[theirs][None, :], alike, 0.0)


def _box_of(found: _All, members: list[int]) -> list[float]:
    whole = [place for place in members if not found.cut[place]]
    if whole:
        return [float(edge) for edge in found.boxes[max(whole, key=lambda place: found.scores[place])]]
    parts = found.boxes[members]
    return [*map(float, parts[:, :2].min(0)), *map(float, parts[:, 2:].max(0))]


def _clipped(boxes: Boxes, part: Boxes) -> Boxes:
    return np.concatenate([np.maximum(boxes[:, :2], part[:2]), np.minimum(boxes[:, 2:], part[2:])], 1)


def _least_side(boxes: Boxes) -> NDArray[np.float64]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).min(1), np.float64)


def _areas(boxes: Boxes) -> NDArray[np.float64]:
    return np.asarray(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), 1), np.float64)


def _intersections(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), 2), np.float64)


def _ious(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    common = _intersections(a, b)
    together = _areas(a)[:, None] + _areas(b)[None, :] - common
    return np.divide(common, together, out=np.zeros_like(common), where=together > 0)


def _within(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """[a, b]: the share of each of `a` that lies in each of `b`."""
    common = _intersections(a, b)
    areas = np.broadcast_to(_areas(a)[:, None], common.shape)
    return np.divide(common, areas, out=np.zeros_like(common), where=areas > 0)
