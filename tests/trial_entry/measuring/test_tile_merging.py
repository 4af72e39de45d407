"""Boxes of tiles that overlap become the objects of the image that was cut."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from boxtune.data.importing.tiling import Tiling
from trial_entry.measuring.tile_merging import Merged, TileDetections, merge_tiles

SIZE = (1500, 1200)
TILING = Tiling(640, 640, 128, 1.0)
Box = tuple[float, float, float, float]


def seen(objects: list[tuple[Box, int]], least: float = 0.2, noise: float = 0.0) -> list[TileDetections]:
    """What a detector finds that sees in every tile the visible part of every object, if that is enough of it.

    Args:
        least: the share of an object that it needs.
        noise: pixels by which its edges are off.
    """
    draw = random.Random(0)
    tiles = []
    for window in TILING.windows(SIZE):
        boxes, classes, scores = [], [], []
        for box, label in objects:
            part = (max(box[0], window[0]), max(box[1], window[1]), min(box[2], window[2]), min(box[3], window[3]))
            visible = max(0.0, part[2] - part[0]) * max(0.0, part[3] - part[1])
            if visible < least * (box[2] - box[0]) * (box[3] - box[1]) or visible == 0:
                continue
            boxes.append([edge + draw.uniform(-noise, noise) for edge in part])
            classes.append(label)
            scores.append(0.3 + 0.6 * visible / ((box[2] - box[0]) * (box[3] - box[1])))
        tiles.append(
            TileDetections(window, np.array(boxes, float).reshape(-1, 4), np.array(classes, int), np.array(scores))
        )
    return tiles


def close_to(merged: Merged, objects: list[tuple[Box, int]], off: float) -> bool:
    """Whether each object has a box whose edges are off by so much at most, and no box is left over."""
    found = [(int(label), *map(float, box)) for box, label in zip(merged.boxes, merged.classes, strict=True)]
    for box, label in objects:
        distances = [
            max(abs(a - b) for a, b in zip(each[1:], box, strict=True)) if each[0] == label else 1e9 for each in found
        ]
        if not distances or min(distances) > off:
            return False
        del found[distances.index(min(distances))]
    return not found


@pytest.mark.parametrize(
    "objects",
    [
        [((100, 100, 200, 200), 1)],  # in one tile alone
        [((530, 100, 620, 200), 1)],  # whole in two
        [((530, 530, 620, 620), 1)],  # whole in four
        [((450, 100, 600, 200), 1)],  # whole in one, cut in the other
        [((400, 100, 800, 200), 1)],  # cut in both
        [((300, 300, 1400, 700), 1)],  # larger than a tile
        [((10, 500, 1490, 560), 2)],  # along all of a row of tiles, in the common part of two rows
        [((530, 100, 620, 200), 1), ((530, 100, 620, 200), 2)],  # two classes at one place
        [((530, 100, 575, 200), 1), ((576, 100, 621, 200), 1)],  # neighbours in the common part
        [((520, 100, 630, 300), 1), ((540, 220, 570, 250), 1)],  # one within the other, neither cut
    ],
)
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_an_object_has_one_box_wherever_it_lies(objects: list[tuple[Box, int]], noise: float) -> None:
    assert close_to(merge_tiles(seen(objects, noise=noise), SIZE), objects, 2 * noise + 1e-9)


def test_a_row_of_objects_along_a_seam_stays_a_row() -> None:
    objects: list[tuple[Box, int]] = [((480 + 40 * n, 100, 516 + 40 * n, 300), 1) for n in range(6)]
    assert close_to(merge_tiles(seen(objects, noise=1.0), SIZE), objects, 3.0)


def test_many_objects_at_random() -> None:
    """Of all that do not touch each other every one is found, once."""
    draw = random.Random(3)
    objects: list[tuple[Box, int]] = []
    while len(objects) < 120:
        width, height = draw.uniform(15, 120), draw.uniform(15, 120)
        left, top = draw.uniform(0, SIZE[0] - width), draw.uniform(0, SIZE[1] - height)
        box = (left, top, left + width, top + height)
        if all(
            box[0] > other[2] or other[0] > box[2] or box[1] > other[3] or other[1] > box[3] for other, _ in objects
        ):
            objects.append((box, draw.randrange(1, 3)))
    merged = merge_tiles(seen(objects, least=0.5, noise=1.0), SIZE)
    assert close_to(merged, objects, 3.0)
    assert all(one >= other for one, other in pairwise(merged.scores))


def test_the_score_is_the_highest_and_the_box_the_whole_one() -> None:
    tiles = [
        TileDetections((0, 0, 640, 640), np.array([[560.0, 10, 640, 60]]), np.array([1]), np.array([0.9])),
        TileDetections((512, 0, 1152, 640), np.array([[560.0, 10, 700, 60]]), np.array([1]), np.array([0.6])),
    ]
    merged = merge_tiles(tiles, SIZE)
    assert merged.boxes.tolist() == [[560.0, 10.0, 700.0, 60.0]]
    assert merged.scores.tolist() == [0.9]


def test_nothing_gives_nothing() -> None:
    assert merge_tiles([], SIZE).boxes.shape == merge_tiles(seen([]), SIZE).boxes.shape == (0, 4)
