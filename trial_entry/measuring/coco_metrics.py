"""Measuring's COCO numbers, of all classes and of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trial_entry.contract.metrics import COCO_STATS, PRECISION, RECALL, class_metric
from trial_entry.measuring import operating_point
from trial_entry.measuring.coco_evaluation import evaluate
from trial_entry.measuring.detections import Detections

_NO_GROUND_TRUTH = -1.0


def coco_metrics(detections: Detections, class_names: Mapping[int, str]) -> dict[str, float]:
    """COCO's metrics of the boxes; one that has no ground truth to be measured on is left out.

    Args:
        class_names: the name of each class as it stands in `mAP_class_NAME`.
    """
    evaluated = evaluate(detections, detections.results)
    metrics = dict(zip(COCO_STATS, map(float, evaluated.stats), strict=False))  # beyond pycocotools' twelve are others
    precision = evaluated.eval["precision"]  # [IoU, recall, class, area, most detections]
    for index, category in enumerate(evaluated.params.catIds):
        values = precision[:, :, index, 0, -1]
        measured = values[values > _NO_GROUND_TRUTH]
        if category in class_names and measured.size:
            metrics[class_metric(class_names[category])] = float(measured.mean())
    return {name: value for name, value in metrics.items() if value != _NO_GROUND_TRUTH and np.isfinite(value)}


@dataclass(frozen=True)
class ClassDetails:
    """One class of an evaluation.

    Attributes:
        category: its id.
        objects: how many there are, crowds left out.
        average_precision: over IoU 0.5 to 0.95; None where there is nothing to measure.
        average_precision_50: at IoU 0.5.
        precision, recall: at IoU 0.5 and the score threshold.
        curve: precision at IoU 0.5, at recall 0, 0.01, … 1.
    """

    category: int
    objects: int
    average_precision: float | None
    average_precision_50: float | None
    precision: float | None
    recall: float | None
    curve: tuple[float, ...]


def class_details(detections: Detections, score_threshold: float) -> list[ClassDetails]:
    """Every class that has an object, in the order of the label map."""
    evaluated = evaluate(detections, detections.results)
    table = evaluated.eval["precision"]
    found = []
    for index, category in enumerate(evaluated.params.catIds):
        of_class = detections.of_class(category)
        objects = sum(not each["iscrowd"] for each in of_class.annotations)
        curve = [float(value) for value in table[0, :, index, 0, -1]]
        if not objects or _NO_GROUND_TRUTH in curve:
            continue
        micro = operating_point.measure(of_class, score_threshold)
        found.append(
            ClassDetails(
                category,
                objects,
                float(table[:, :, index, 0, -1].mean()),
                float(np.mean(curve)),
                micro.get(PRECISION),
                micro.get(RECALL),
                tuple(round(value, 5) for value in curve),
            )
        )
    return found
