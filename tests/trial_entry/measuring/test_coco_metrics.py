"""COCO's numbers: pycocotools as the oracle, and the edges."""

from __future__ import annotations

import contextlib
import io
import os

import numpy as np
import pytest

from trial_entry.contract.metrics import COCO_STATS
from trial_entry.measuring.all_metrics import all_metrics
from trial_entry.measuring.coco_evaluation import evaluate
from trial_entry.measuring.coco_metrics import class_details
from trial_entry.measuring.detections import Category, Detections, Numbers

CATEGORIES: list[Category] = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}, {"id": 3, "name": "never"}]
NAMES = {1: "a", 2: "b", 3: "never"}


def boxes(random: np.random.Generator, count: int) -> np.ndarray:
    corner = random.uniform(0, 80, (count, 2))
    return np.concatenate([corner, corner + random.uniform(5, 60, (count, 2))], axis=1).astype(np.float32)


def random_detections(images: int = 30) -> Detections:
    """Ground truth, and detections of which half are near a truth."""
    random, detections = np.random.default_rng(3), Detections(CATEGORIES)
    for image in range(images):
        truth = boxes(random, int(random.integers(1, 6)))
        near = truth + random.normal(0, 3, truth.shape).astype(np.float32)
        found = np.concatenate([near, boxes(random, 4)])
        labels = random.integers(1, 3, len(truth))
        detections.add(
            image,
            {"boxes": truth, "classes": labels, "is_crowd": random.random(len(truth)) < 0.1},
            {
                "boxes": found,
                "classes": np.concatenate([labels, random.integers(1, 3, 4)]),
                "scores": random.random(len(found)).astype(np.float32),
            },
        )
    return detections


def test_the_twelve_numbers_are_pycocotools_s() -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    detections = random_detections()
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = detections.truth()
        truth.createIndex()
        oracle = COCOeval(truth, truth.loadRes([dict(result) for result in detections.results]), "bbox")
        oracle.evaluate()
        oracle.accumulate()
        oracle.summarize()
    ours = evaluate(detections, detections.results).stats
    assert [ours[place] for place in range(len(COCO_STATS))] == pytest.approx(list(oracle.stats), abs=1e-12)


def test_what_has_no_ground_truth_is_left_out() -> None:
    metrics = all_metrics(random_detections(), NAMES, 0.5)
    assert "mAP_class_never" not in metrics
    assert metrics["mAP_class_a"] > 0
    assert all(value != -1 for value in metrics.values())


def test_no_detection_at_all_is_zero_not_an_error() -> None:
    detections = random_detections()
    detections.results.clear()
    metrics = all_metrics(detections, NAMES, 0.5)
    assert (metrics["mAP"], metrics["precision"], metrics["recall"]) == (0, 0, 0)


def test_an_image_counts_once() -> None:
    detections = random_detections(1)
    empty: dict[str, Numbers] = {"boxes": np.zeros((0, 4), np.float32), "classes": np.zeros(0), "is_crowd": np.zeros(0)}
    assert not detections.add(0, empty, {**empty, "scores": np.zeros(0)})
    assert len(detections.images) == 1


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    all_metrics(random_detections(2), NAMES, 0.5)
    os.write(2, b"")
    assert capfd.readouterr().out == ""


def test_the_table_by_class_has_the_metrics_own_numbers() -> None:
    detections = random_detections()
    metrics = all_metrics(detections, NAMES, 0.5)
    table = class_details(detections, 0.5)
    assert [NAMES[each.category] for each in table] == ["a", "b"]  # the third has no object
    for each in table:
        assert each.average_precision == pytest.approx(metrics[f"mAP_class_{NAMES[each.category]}"], abs=1e-12)
        assert len(each.curve) == 101
        assert np.mean(each.curve) == pytest.approx(each.average_precision_50, abs=1e-5)
    assert np.mean([each.average_precision_50 for each in table]) == pytest.approx(metrics["mAP_50"], abs=1e-12)
    objects = sum(not each["iscrowd"] for each in detections.annotations)
    assert sum(each.objects for each in table) == objects
