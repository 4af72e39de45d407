"""Measuring's look at single images: which detections find an object, and which images have the most mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trial_entry.measuring.detections import Annotation, Detections, Result

MATCH_IOU = 0.5


@dataclass(frozen=True)
class ImageBoxes:
    """The boxes of one image.

    Attributes:
        truth: its objects.
        found: what was detected there, from a score on.
    """

    truth: list[Annotation] = field(default_factory=list)
    found: list[Result] = field(default_factory=list)


def boxes_by_image(detections: Detections, threshold: float) -> dict[int, ImageBoxes]:
    """Every image's boxes by its id; of the detections those from the score `threshold` on."""
    images = {each["id"]: ImageBoxes() for each in detections.images}
    for truth in detections.annotations:
        images[truth["image_id"]].truth.append(truth)
    for found in detections.results:
        if found["score"] >= threshold:
            images[found["image_id"]].found.append(found)
    return images


def chosen_images(detections: Detections, threshold: float, most: int) -> list[int]:
    """Ids of `most` images: half of them those with the most mistakes (missed objects and false detections), the others
    evenly among the rest.
    """
    mistakes = {
        image: len(boxes.truth) + len(boxes.found) - 2 * _matches(boxes.truth, boxes.found)
        for image, boxes in boxes_by_image(detections, threshold).items()
    }
    worst = sorted((image for image in mistakes if mistakes[image]), key=lambda image: -mistakes[image])[: most // 2]
    rest = [image for image in mistakes if image not in worst]
    wanted = most - len(worst)
    step = max(1, len(rest) // wanted) if wanted else 1
    return [*worst, *rest[::step][:wanted]]


def _matches(truth: Sequence[Annotation], found: Sequence[Result]) -> int:
    """How many detections find an object of their class, the surest first, each object once."""
    left, matched = list(truth), 0
    for each in sorted(found, key=lambda one: -one["score"]):
        same = [one for one in left if one["category_id"] == each["category_id"]]
        box = each["bbox"]
        best = max(same, key=lambda one: iou(one["bbox"], box), default=None)
        if best is not None and iou(best["bbox"], box) >= MATCH_IOU:
            left.remove(best)
            matched += 1
    return matched


def iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes, each [left, top, width, height]."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (one[2] * one[3] + other[2] * other[3] - width * height)
