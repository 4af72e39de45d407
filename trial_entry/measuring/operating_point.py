"""Measuring's precision and recall: where the detections that are sure enough stand on the curve."""

from __future__ import annotations

from trial_entry.contract.metrics import PRECISION, RECALL
from trial_entry.measuring.coco_evaluation import evaluate
from trial_entry.measuring.detections import Detections


def measure(detections: Detections, score_threshold: float) -> dict[str, float]:
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
