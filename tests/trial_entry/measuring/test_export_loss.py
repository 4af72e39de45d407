"""What an exported file may lose of its checkpoint's mAP."""

from __future__ import annotations

import math

import pytest

from trial_entry.measuring.export_loss import Allowed, drops, too_much

BEFORE = {"mAP": 0.5, "mAP_50": 0.7, "mAP_class_car": 0.6, "mAP_class_bus": 0.4, "recall": 0.3}
FLOAT = Allowed(0.005, 0.005, lost_classes=False)
INT8 = Allowed(0.05, math.inf, lost_classes=False)


def test_drops_are_of_map_over_all_and_by_class() -> None:
    after = {"mAP": 0.45, "mAP_50": 0.1, "mAP_class_car": 0.7}
    assert drops(BEFORE, after) == {"mAP": 0.05, "mAP_class_car": -0.1, "mAP_class_bus": 0.4}


@pytest.mark.parametrize(
    ("after", "allowed", "says"),
    [
        ({}, FLOAT, ""),
        ({"mAP": 0.4951}, FLOAT, ""),
        ({"mAP": 0.494}, FLOAT, "mAP 0.4940, the checkpoint's is 0.5000 on the same images: 0.0060 less, 0.005 is"),
        ({"mAP": 0.506}, FLOAT, "0.0060 more, 0.005 is allowed"),
        ({"mAP": 0.6}, INT8, ""),
        ({"mAP": 0.451}, INT8, ""),
        ({"mAP": 0.449}, INT8, "0.0510 less, 0.05 is allowed"),
        ({"mAP": 0.0}, INT8, "mAP 0.0000"),
        ({"mAP": 0.48, "mAP_class_bus": 0.0}, INT8, 'mAP 0 of the class "bus" (was 0.4000)'),
        ({"mAP": 0.48, "mAP_class_bus": 0.0, "mAP_class_car": 0.0}, INT8, 'mAP 0 of the classes "car" (was 0.6000), '),
        ({"mAP": 0.48, "mAP_class_bus": 0.0}, Allowed(0.05, math.inf, lost_classes=True), ""),
    ],
)
def test_what_is_too_much(after: dict[str, float], allowed: Allowed, says: str) -> None:
    found = too_much(BEFORE, BEFORE | after, allowed)
    assert says in found
    assert bool(says) == bool(found)


def test_a_class_without_any_map_cannot_be_lost() -> None:
    before = {"mAP": 0.5, "mAP_class_car": 1.0, "mAP_class_bus": 0.0}
    assert too_much(before, before, FLOAT) == ""
