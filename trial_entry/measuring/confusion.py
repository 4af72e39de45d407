"""Measuring's confusion matrix: which class is taken for which, what is missed, and what is found where nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trial_entry.measuring.detections import Annotation, Detections, Result
from trial_entry.measuring.mistakes import MATCH_IOU, ImageBoxes, boxes_by_image, iou

NOTHING = "nothing"


@dataclass(frozen=True)
class Confusion:
    """The matrix.

    Attributes:
        labels: the classes by their numbers, and NOTHING last.
        counts: a row for what is there, in it a column for what was found; NOTHING's column has what was missed, its
            row what was found where nothing is.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def confusion(detections: Detections, threshold: float) -> Confusion:
    """The matrix of the detections from the score `threshold` on.

    An object and a detection belong together from IoU 0.5 on, each once; those of one class before others, then by IoU.
    Crowds are no objects here, and what is found in one counts as nothing.
    """
    classes = sorted(detections.categories, key=lambda each: each["id"])
    places = {each["id"]: place for place, each in enumerate(classes)}
    nothing = len(classes)
    counts = [[0] * (nothing + 1) for _ in range(nothing + 1)]
    for boxes in boxes_by_image(detections, threshold).values():
        for truth, found in _pairs(boxes):
            row = nothing if truth is None else places[truth["category_id"]]
            column = nothing if found is None else places[found["category_id"]]
            counts[row][column] += 1
    return Confusion((*(each["name"] for each in classes), NOTHING), tuple(map(tuple, counts)))


def _pairs(boxes: ImageBoxes) -> Iterator[tuple[Annotation | None, Result | None]]:
    objects = [each for each in boxes.truth if not each["iscrowd"]]
    crowds = [each for each in boxes.truth if each["iscrowd"]]
    near = [
        (truth["category_id"] == found["category_id"], overlap, row, column)
        for row, truth in enumerate(objects)
        for column, found in enumerate(boxes.found)
        if (overlap := iou(truth["bbox"], found["bbox"])) >= MATCH_IOU
    ]
    rows, columns = set(range(len(objects))), set(range(len(boxes.found)))
    for _, _, row, column in sorted(near, key=lambda each: (not each[0], -each[1], each[2], each[3])):
        if row in rows and column in columns:
            rows.remove(row)
            columns.remove(column)
            yield objects[row], boxes.found[column]
    for row in sorted(rows):
        yield objects[row], None
    for column in sorted(columns):
        if not any(_within(boxes.found[column]["bbox"], crowd["bbox"]) for crowd in crowds):
            yield None, boxes.found[column]


def _within(box: list[float], crowd: list[float]) -> bool:
    """Whether half of a box lies in a crowd's."""
    width = min(box[0] + box[2], crowd[0] + crowd[2]) - max(box[0], crowd[0])
    height = min(box[1] + box[3], crowd[1] + crowd[3]) - max(box[1], crowd[1])
    return width > 0 and height > 0 and width * height >= MATCH_IOU * box[2] * box[3]
