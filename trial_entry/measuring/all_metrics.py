"""Measuring's sum: every metric of the boxes, COCO's and those of `contract.metrics.FURTHER`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

from trial_entry.contract.metrics import FURTHER
from trial_entry.measuring.coco_metrics import coco_metrics
from trial_entry.measuring.detections import Detections


def all_metrics(detections: Detections, class_names: Mapping[int, str], score_threshold: float) -> dict[str, float]:
    """Their values, by name; one that has nothing to be measured on is left out.

    Args:
        class_names: the name of each class as it stands in `mAP_class_NAME`.
        score_threshold: from which score on a detection counts, where a metric asks.
    """
    metrics = coco_metrics(detections, class_names)
    for module in dict.fromkeys(each.module for each in FURTHER.values()):
        measure: Callable[[Detections, float], dict[str, float]]
        measure = importlib.import_module(f"trial_entry.measuring.{module}").measure
        metrics.update(measure(detections, score_threshold))
    return metrics
