"""Measuring's material: ground truth and detections of a whole evaluation, in COCO's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.generic]


class Category(TypedDict):
    """A class."""

    id: int
    name: str


class Image(TypedDict):
    """An image, of which its id is all that is needed."""

    id: int


class Annotation(TypedDict):
    """An object; its box is [left, top, width, height] in pixels."""

    id: int
    image_id: int
    category_id: int
    bbox: list[float]
    area: float
    iscrowd: int


class Result(TypedDict):
    """A detection; its box is [left, top, width, height] in pixels."""

    image_id: int
    category_id: int
    bbox: list[float]
    score: float


class DataSet(TypedDict):
    """Ground truth as COCO's files have it."""

    images: list[Image]
    annotations: list[Annotation]
    categories: list[Category]


@dataclass
class Detections:
    """Ground truth and detections of a whole evaluation, in COCO's form.

    Attributes:
        categories: of every class.
        images, annotations, results: COCO's lists; boxes are [left, top, width, height] in pixels.
    """

    categories: list[Category]
    images: list[Image] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def add(self, image: int, truth: Mapping[str, Numbers], found: Mapping[str, Numbers]) -> bool:
        """Add one image; False, and nothing added, where its id has been added before (the stock evaluator's rule).

        Args:
            image: its id.
            truth: `boxes` [n, 4] float32 as ymin, xmin, ymax, xmax in pixels, `classes` [n] and `is_crowd` [n].
            found: `boxes` [m, 4], `classes` [m] and `scores` [m].
        """
        if image in self._seen:
            return False
        self._seen.add(image)
        self.images.append({"id": image})
        known = {category["id"] for category in self.categories}
        for box, label, crowd in zip(truth["boxes"], truth["classes"], truth["is_crowd"], strict=True):
            if int(label) in known:
                ymin, xmin, ymax, xmax = box
                self.annotations.append(
                    {
                        "id": len(self.annotations) + 1,
                        "image_id": image,
                        "category_id": int(label),
                        "bbox": _coco_box(box),
                        "area": float((ymax - ymin) * (xmax - xmin)),
                        "iscrowd": int(crowd),
                    }
                )
        self._add_found(image, found)
        return True

    def with_other_results(self, found: Iterable[tuple[int, Mapping[str, Numbers]]]) -> Detections:
        """The same ground truth with what another model found: an image's id, and `found` as `add` takes it."""
        other = Detections(self.categories, self.images, self.annotations)
        for image, boxes in found:
            other._add_found(image, boxes)
        return other

    def _add_found(self, image: int, found: Mapping[str, Numbers]) -> None:
        known = {category["id"] for category in self.categories}
        for box, label, score in zip(found["boxes"], found["classes"], found["scores"], strict=True):
            if int(label) in known:
                self.results.append(
                    {"image_id": image, "category_id": int(label), "bbox": _coco_box(box), "score": float(score)}
                )

    def truth(self) -> DataSet:
        """The ground truth as a COCO data set."""
        return {"images": self.images, "annotations": self.annotations, "categories": self.categories}

    def of_class(self, category: int) -> Detections:
        """What concerns one class, on all images."""
        return Detections(
            [each for each in self.categories if each["id"] == category],
            self.images,
            [each for each in self.annotations if each["category_id"] == category],
            [each for each in self.results if each["category_id"] == category],
        )


def _coco_box(box: Numbers) -> list[float]:
    ymin, xmin, ymax, xmax = box
    return [float(xmin), float(ymin), float(xmax - xmin), float(ymax - ymin)]
