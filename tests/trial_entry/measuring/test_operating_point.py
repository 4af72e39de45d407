"""Precision and recall at a score."""

from __future__ import annotations

import numpy as np
import pytest

from trial_entry.measuring import operating_point
from trial_entry.measuring.detections import Category, Detections, Numbers

CATEGORIES: list[Category] = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


def test_precision_and_recall_count_matches_at_one_half() -> None:
    """Three truths; two found above the threshold, one of them twice, one more wrong, one below the threshold."""
    truth = np.array([[0, 0, 20, 20], [30, 30, 50, 50], [60, 60, 80, 80]], np.float32)
    found = np.array([[0, 0, 20, 20], [1, 1, 20, 20], [30, 30, 50, 50], [0, 60, 20, 80], [60, 60, 80, 80]], np.float32)
    detections = Detections(CATEGORIES)
    detections.add(
        1,
        {"boxes": truth, "classes": np.array([1, 2, 1]), "is_crowd": np.zeros(3, bool)},
        {
            "boxes": found,
            "classes": np.array([1, 1, 2, 1, 1]),
            "scores": np.array([0.9, 0.8, 0.7, 0.6, 0.4], np.float32),
        },
    )
    metrics = operating_point.measure(detections, score_threshold=0.5)
    assert metrics["precision"] == pytest.approx(2 / 4)
    assert metrics["recall"] == pytest.approx(2 / 3)
    everything = operating_point.measure(detections, score_threshold=0.0)
    assert everything["recall"] == pytest.approx(1)


def test_an_object_of_a_crowd_neither_helps_nor_harms() -> None:
    box = np.array([[0, 0, 20, 20], [40, 40, 90, 90]], np.float32)
    detections = Detections(CATEGORIES)
    detections.add(
        1,
        {"boxes": box, "classes": np.array([1, 1]), "is_crowd": np.array([0, 1])},
        {"boxes": box, "classes": np.array([1, 1]), "scores": np.array([0.9, 0.9], np.float32)},
    )
    assert operating_point.measure(detections, 0.5) == {"precision": 1, "recall": 1}


def test_without_an_object_there_is_nothing_to_measure() -> None:
    nothing: dict[str, Numbers] = {"boxes": np.zeros((0, 4), np.float32), "classes": np.zeros(0)}
    detections = Detections(CATEGORIES)
    detections.add(1, {**nothing, "is_crowd": np.zeros(0)}, {**nothing, "scores": np.zeros(0)})
    assert operating_point.measure(detections, 0.5) == {}
