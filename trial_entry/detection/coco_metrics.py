"""COCO's numbers from detections, by faster-coco-eval: pycocotools' results, many times faster."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trial_entry.contract.metrics import COCO_STATS, PRECISION, RECALL, class_metric

_NO_GROUND_TRUTH = -1.0


@dataclass
class Detections:
    """Ground truth and detections of a whole evaluation, in COCO's form.

    Attributes:
        categories: `{"id": …, "name": …}` of every class.
        images, annotations, results: COCO's lists; boxes are [left, top, width, height] in pixels.
    """

    categories: list[dict[str, Any]]
    images: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def add(self, image: int, truth: dict[str, NDArray[Any]], found: dict[str, NDArray[Any]]) -> bool:
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
        for box, label, score in zip(found["boxes"], found["classes"], found["scores"], strict=True):
            if int(label) in known:
                self.results.append(
                    {"image_id": image, "category_id": int(label), "bbox": _coco_box(box), "score": float(score)}
                )
        return True

    def truth(self) -> dict[str, Any]:
        """The ground truth as a COCO data set."""
        return {"images": self.images, "annotations": self.annotations, "categories": self.categories}


def _coco_box(box: NDArray[np.float32]) -> list[float]:
    ymin, xmin, ymax, xmax = box
    return [float(xmin), float(ymin), float(xmax - xmin), float(ymax - ymin)]


def coco_metrics(detections: Detections, class_names: dict[int, str], score_threshold: float) -> dict[str, float]:
    """All metrics of the boxes; one that has no ground truth to be measured on is left out.

    Args:
        class_names: the name of each class as it stands in `mAP_class_NAME`.
        score_threshold: for `precision` and `recall`, which are micro-averaged at IoU 0.5.
    """
    evaluated = _evaluate(detections, detections.results)
    metrics = dict(zip(COCO_STATS, map(float, evaluated.stats), strict=False))  # beyond pycocotools' twelve are others
    metrics.update(_precision_recall(detections, score_threshold))
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
    curve: list[float]


def class_details(detections: Detections, score_threshold: float) -> list[ClassDetails]:
    """Every class that has an object, in the order of the label map."""
    evaluated = _evaluate(detections, detections.results)
    table = evaluated.eval["precision"]
    found = []
    for index, category in enumerate(evaluated.params.catIds):
        of_class = Detections(
            [each for each in detections.categories if each["id"] == category],
            detections.images,
            [each for each in detections.annotations if each["category_id"] == category],
            [each for each in detections.results if each["category_id"] == category],
        )
        objects = sum(not each["iscrowd"] for each in of_class.annotations)
        curve = [float(value) for value in table[0, :, index, 0, -1]]
        if not objects or _NO_GROUND_TRUTH in curve:
            continue
        micro = _precision_recall(of_class, score_threshold)
        found.append(
            ClassDetails(
                category,
                objects,
                float(table[:, :, index, 0, -1].mean()),
                float(np.mean(curve)),
                micro.get(PRECISION),
                micro.get(RECALL),
                [round(value, 5) for value in curve],
            )
        )
    return found


def _evaluate(detections: Detections, results: list[dict[str, Any]], iou: float | None = None) -> Any:
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


def _silent(*_: Any) -> None:
    """faster-coco-eval's way to be quiet."""


def _precision_recall(detections: Detections, score_threshold: float) -> dict[str, float]:
    positives = sum(1 for annotation in detections.annotations if not annotation["iscrowd"])
    confident = [dict(result) for result in detections.results if result["score"] >= score_threshold]
    if not confident or not positives:
        return {PRECISION: 0.0, RECALL: 0.0} if positives else {}
    evaluated = _evaluate(detections, confident, iou=0.5)
    crowds = {annotation["id"] for annotation in detections.annotations if annotation["iscrowd"]}
    matched = [found.get("gt_id") for found in evaluated.cocoDt.anns.values()]
    true_positives = sum(1 for truth in matched if truth is not None and truth not in crowds)
    counted = sum(1 for truth in matched if truth not in crowds)
    return {PRECISION: true_positives / counted if counted else 0.0, RECALL: true_positives / positives}
