"""Data's box sample: the boxes of records in arrays, as many as memory should hold, with what counts of all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxtune.data.formats.source import split_of
from boxtune.data.record_files import RecordFiles, read_file
from boxtune.data.sheet.sampling import Reservoir
from boxtune.data.sheet.sizes import image_size
from trial_entry.records.detection_example import DetectionExample, ExampleObject

MOST_BOXES = 20_000
_Row = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class BoxSample:
    """Boxes of some splits; every array has one element a box.

    Attributes:
        splits: which were read.
        image_height, image_width: the box's image, in pixels.
        ymin, xmin, ymax, xmax: edges as shares of the image's height and width, cut at its edges.
        images, boxes: how many there are in all, those included that were not drawn.
        most: boxes of the image that has most, crowds included: the API counts them too.
    """

    splits: tuple[str, ...]
    image_height: NDArray[np.float64]
    image_width: NDArray[np.float64]
    ymin: NDArray[np.float64]
    xmin: NDArray[np.float64]
    ymax: NDArray[np.float64]
    xmax: NDArray[np.float64]
    images: int
    boxes: int
    most: int


def training_splits(records: RecordFiles) -> tuple[str, ...]:
    """The splits that a training would see: those named so, else all but the test's."""
    meant = {split: split_of(split) for split in records.splits}
    trained = [split for split in meant if meant[split] == "train"]
    return tuple(trained or [split for split in meant if meant[split] != "test"] or meant)


def sample_boxes(records: RecordFiles, splits: Collection[str], most: int = MOST_BOXES) -> BoxSample:
    """Boxes of `splits`.

    Raises:
        InputError: a record cannot be read.
    """
    collector = BoxCollector(most)
    for split in splits:
        for file in records.splits[split]:
            for _, example in read_file(split, file, records.labels):
                collector.offer(example)
    return collector.sample(splits)


class BoxCollector:
    """Draws boxes from a stream of examples.

    Crowds, groups and boxes without an area say nothing about sizes and are left out.
    """

    def __init__(self, most: int = MOST_BOXES) -> None:
        self._drawn: Reservoir[_Row] = Reservoir(most)
        self._images = self._most = 0

    def offer(self, example: DetectionExample) -> None:
        """One more image."""
        self._images += 1
        self._most = max(self._most, len(example.objects))
        for row in _rows(example):
            self._drawn.offer(row)

    def sample(self, splits: Collection[str]) -> BoxSample:
        """What was drawn, of examples of `splits`."""
        height, width, ymin, xmin, ymax, xmax = np.array(self._drawn.kept, float).reshape(-1, 6).T
        counts = (self._images, self._drawn.offered, self._most)
        return BoxSample(tuple(splits), height, width, ymin, xmin, ymax, xmax, *counts)


def _rows(example: DetectionExample) -> Iterator[_Row]:
    size = image_size(example)
    if size is None:
        return
    for each in example.objects:
        ymin, xmin, ymax, xmax = (min(1.0, max(0.0, side)) for side in (each.ymin, each.xmin, each.ymax, each.xmax))
        if _measured(each) and ymax > ymin and xmax > xmin:
            yield float(size[1]), float(size[0]), ymin, xmin, ymax, xmax


def _measured(each: ExampleObject) -> bool:
    return not (each.is_crowd or each.group_of)
