"""Measuring's COCO numbers, by faster-coco-eval: pycocotools' results, many times faster."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trial_entry.contract.metrics import COCO_STATS, PRECISION, RECALL, class_metric
from trial_entry.measuring.detections import Detections, Result

if TYPE_CHECKING:
    from faster_coco_eval import COCOeval_faster

_NO_GROUND_TRUTH = -1.0


def coco_metrics(detections: Detections, class_names: Mapping[int, str], score_threshold: float) -> dict[str, float]:
    """All metrics of the boxes; one that has no ground truth to be measured on is left out.

    Args:
        class_names: the name of each class as it stands in `mAP_class_NAME`.
        score_threshold: for `precision` and `recall`, which are micro-averaged at IoU 0.5.
    """
    evaluated = evaluate(detections, detections.results)
    metrics = dict(zip(COCO_STATS, map(float, evaluated.stats), strict=False))  # beyond pycocotools' twelve are others
    metrics.update(precision_recall(detections, score_threshold))
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
        micro = precision_recall(of_class, score_threshold)
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


def evaluate(detections: Detections, results: Sequence[Result], iou: float | None = None) -> COCOeval_faster:
    """faster-coco-eval's evaluation of `results` against the ground truth.

    Args:
        iou: match at this IoU alone, and say what each detection matches; None for COCO's ten, summarized.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(detections.truth())
        evaluated = COCOeval_faster(
            truth, truth.loadRes(results), iouType="bbox", print_function=_silent, extra_calc=iou is not None
        )
        if iou is not None:
            evaluated.params.iouThrs = np.array([iou])
        evaluated.evaluate()
        evaluated.accumulate()
        if iou is None:
            evaluated.summarize()
    return evaluated


def _silent(*_: object) -> None:
    """faster-coco-eval's way to be quiet."""


def precision_recall(detections: Detections, score_threshold: float) -> dict[str, float]:
    """`precision` and `recall` of the detections from `score_threshold` on, micro-averaged at IoU 0.5.

    Both are 0 where nothing is that sure, and left out where there is no object.
    """
    positives = sum(1 for annotation in detections.annotations if not annotation["iscrowd"])
    confident = [result.copy() for result in detections.results if result["score"] >= score_threshold]
    if not confident or not positives:
        return {PRECISION: 0.0, RECALL: 0.0} if positives else {}
    evaluated = evaluate(detections, confident, iou=0.5)
    crowds = {annotation["id"] for annotation in detections.annotations if annotation["iscrowd"]}
    matched = [found.get("gt_id") for found in evaluated.cocoDt.anns.values()]
    true_positives = sum(1 for truth in matched if truth is not None and truth not in crowds)
    counted = sum(1 for truth in matched if truth not in crowds)
    return {PRECISION: true_positives / counted if counted else 0.0, RECALL: true_positives / positives}
