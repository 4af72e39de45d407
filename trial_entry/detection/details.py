"""What a report shows of one evaluation: precision-recall curves, a table by class, images with their boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from trial_entry.contract.files import DETAILS_FILE
from trial_entry.contract.json_records import to_json
from trial_entry.contract.records import BoxRecord, ClassRecord, DetailsRecord, PictureRecord
from trial_entry.detection.coco_metrics import ClassDetails, Detections, class_details
from trial_entry.detection.evaluation import Evaluator
from trial_entry.model_dir import write_json
from trial_entry.records.label_map import LabelMap

_EDGE = 480  # pixels of the longer edge of a picture in a report
_MATCH = 0.5  # IoU


def write_details(evaluator: Evaluator, label_map: LabelMap, folder: Path, threshold: float, pictures: int) -> None:
    """Write `details.json` and `pictures` JPEG files about the evaluation that `evaluator` made last.

    Half of the pictures are those with the most mistakes (missed objects and false detections above `threshold`),
    the others lie evenly among the rest.
    """
    detections = evaluator.detections
    assert detections is not None
    classes = class_details(detections, threshold)
    chosen = chosen_images(detections, threshold, pictures)
    folder.mkdir(parents=True, exist_ok=True)
    images = [_picture(folder, detections, label_map, image, pixels, threshold) for image, pixels in
              evaluator.images(chosen)]  # fmt: skip
    images.sort(key=lambda each: chosen.index(each.id))
    rows = tuple(_class(each, label_map) for each in classes)
    found = DetailsRecord(threshold, rows, tuple(images), len(detections.images), pictures)
    write_json(folder / DETAILS_FILE, to_json(found))


def _class(details: ClassDetails, label_map: LabelMap) -> ClassRecord:
    return ClassRecord(
        label_map.labels[details.category],
        details.objects,
        details.average_precision,
        details.average_precision_50,
        details.precision,
        details.recall,
        tuple(details.curve),
    )


def chosen_images(detections: Detections, threshold: float, most: int) -> list[int]:
    """Image ids: those with the most mistakes first, then some of the rest."""
    mistakes = {each["id"]: 0 for each in detections.images}
    for image, (truth, found) in _by_image(detections, threshold).items():
        matched = _matches(truth, found)
        mistakes[image] = len(truth) + len(found) - 2 * matched
    worst = sorted((image for image in mistakes if mistakes[image]), key=lambda image: -mistakes[image])[: most // 2]
    rest = [image for image in mistakes if image not in worst]
    wanted = most - len(worst)
    step = max(1, len(rest) // wanted) if wanted else 1
    return [*worst, *rest[::step][:wanted]]


def _by_image(detections: Detections, threshold: float) -> Mapping[int, tuple[list[Any], list[Any]]]:
    images: dict[int, tuple[list[Any], list[Any]]] = {each["id"]: ([], []) for each in detections.images}
    for truth in detections.annotations:
        images[truth["image_id"]][0].append(truth)
    for found in detections.results:
        if found["score"] >= threshold:
            images[found["image_id"]][1].append(found)
    return images


def _matches(truth: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> int:
    """How many detections find an object of their class, the surest first, each object once."""
    left, matched = list(truth), 0
    for each in sorted(found, key=lambda one: -one["score"]):
        same = [one for one in left if one["category_id"] == each["category_id"]]
        best = max(same, key=lambda one: _iou(one["bbox"], each["bbox"]), default=None)
        if best is not None and _iou(best["bbox"], each["bbox"]) >= _MATCH:
            left.remove(best)
            matched += 1
    return matched


def _iou(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (one[2] * one[3] + other[2] * other[3] - width * height)


def _picture(
    folder: Path, detections: Detections, label_map: LabelMap, image: int, pixels: Any, threshold: float
) -> PictureRecord:
    """Write one image, small enough for a page; its boxes as shares of its edges."""
    truth, found = _by_image(detections, threshold)[image]
    height, width = pixels.shape[:2]
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((_EDGE, _EDGE))
    file = f"image-{image}.jpg"
    picture.convert("RGB").save(folder / file, quality=80)

    def boxes(each: Sequence[Mapping[str, Any]]) -> tuple[BoxRecord, ...]:
        return tuple(
            BoxRecord(
                label_map.labels[one["category_id"]],
                tuple(round(value / edge, 5) for value, edge in zip(one["bbox"], (width, height) * 2, strict=True)),
                round(one["score"], 3) if "score" in one else None,
            )
            for one in each
        )

    return PictureRecord(image, file, picture.width, picture.height, boxes(truth), boxes(found))
