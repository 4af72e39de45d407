"""Measuring's evaluation as COCO does it, by faster-coco-eval: pycocotools' results, many times faster."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from trial_entry.measuring.detections import Detections, Result

if TYPE_CHECKING:
    from faster_coco_eval import COCOeval_faster


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
