"""Intervals by the bootstrap: the metrics themselves as the oracle, of the images as they are and of those drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.trial_entry.measuring.test_coco_metrics import CATEGORIES, NAMES, random_detections
from trial_entry.measuring.all_metrics import all_metrics
from trial_entry.measuring.bootstrap import difference_interval, drawn_metrics, intervals
from trial_entry.measuring.detections import Detections


def drawn(detections: Detections, images: list[int]) -> Detections:
    """A data set of these images, in this order, some of them several times."""
    found = Detections(CATEGORIES)
    for number, image in enumerate(images):
        found.images.append({"id": number})
        for truth in (each for each in detections.annotations if each["image_id"] == image):
            found.annotations.append({**truth, "image_id": number, "id": len(found.annotations) + 1})
        for result in (each for each in detections.results if each["image_id"] == image):
            found.results.append({**result, "image_id": number})
    return found


def test_the_values_are_those_of_the_evaluation() -> None:
    detections = random_detections()
    metrics = all_metrics(detections, NAMES, 0.5)
    found = intervals(detections, NAMES, 0.5, range(len(detections.images)), resamples=20)
    assert {"mAP", "mAP_50", "mAP_75", "precision", "recall", "mAP_class_a", "mAP_class_b"} == found.keys()
    for name, each in found.items():
        assert each.value == pytest.approx(metrics[name], abs=1e-12), name
        assert each.low <= each.high


def test_a_draw_s_value_is_that_of_its_images_evaluated_anew() -> None:
    """One draw is both ends, as far below the value as it lies above; its images, written out as often as they were
    drawn, are evaluated.
    """
    detections = random_detections(12)
    count = len(detections.images)
    for seed in range(5):
        times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), 1)[0]
        images = [image for image, often in enumerate(times) for _ in range(often)]
        metrics = all_metrics(drawn(detections, images), NAMES, 0.5)
        for name, each in intervals(detections, NAMES, 0.5, range(count), resamples=1, seed=seed).items():
            assert each.low == each.high == pytest.approx(np.clip(2 * each.value - metrics[name], 0, 1), abs=1e-9), name


def test_images_of_one_group_are_drawn_together() -> None:
    """One group alone has one draw: all of it. Groups vary more than their images by themselves do."""
    detections = random_detections(60)
    one = intervals(detections, NAMES, 0.5, ["all"] * 60, resamples=50)["mAP"]
    assert one.low == one.high == pytest.approx(one.value)
    alone, grouped = (
        intervals(detections, NAMES, 0.5, [image // size for image in range(60)], resamples=300)["mAP"]
        for size in (1, 15)
    )
    assert alone.value == grouped.value
    assert alone.high - alone.low > 0
    assert grouped.high - grouped.low > 0


def test_it_covers_what_it_says() -> None:
    """Of 60 small data sets from one source about nine tenths' intervals hold the source's own value."""
    whole = random_detections(1500)
    truth = all_metrics(whole, NAMES, 0.5)["mAP"]
    held = 0
    for start in range(60):
        part = drawn(whole, list(range(start * 25, start * 25 + 25)))
        found = intervals(part, NAMES, 0.5, range(25), resamples=200, seed=start)["mAP"]
        held += found.low <= truth <= found.high
    assert 46 <= held <= 59


def test_without_detections_or_objects() -> None:
    detections = random_detections(5)
    nothing = Detections(CATEGORIES, detections.images, detections.annotations, [])
    assert intervals(nothing, NAMES, 0.5, range(5), resamples=10)["mAP"].high == 0
    assert intervals(Detections(CATEGORIES, detections.images, [], detections.results), NAMES, 0.5, range(5)) == {}


def test_models_on_the_same_images_are_paired() -> None:
    """Two equal models differ by nothing whatever is drawn; of one alone it is its own interval."""
    detections = random_detections(30)
    draws = [drawn_metrics(detections, NAMES, 0.5, range(30), resamples=100)["mAP"] for _ in range(2)]
    assert difference_interval(draws, draws[:1]) == (0.0, 0.0)
    alone, own = difference_interval(draws, []), intervals(detections, NAMES, 0.5, range(30), resamples=100)["mAP"]
    assert alone is not None
    assert alone[0] == pytest.approx(own.low)
    assert alone[1] == pytest.approx(own.high)
    assert difference_interval([np.array([0.5, np.nan])], []) is None


def test_what_two_models_share_does_not_widen_their_difference() -> None:
    """A model that misses one object in ten that the other finds: the difference moves less than either does."""
    detections = random_detections(60)
    worse = replace(detections, results=[each for place, each in enumerate(detections.results) if place % 10])
    one, other = (drawn_metrics(each, NAMES, 0.5, range(60), resamples=300)["mAP"] for each in (detections, worse))
    paired, alone = difference_interval([one], [other]), difference_interval([one], [])
    assert paired is not None
    assert alone is not None
    assert paired[0] <= one[0] - other[0] <= paired[1]
    assert paired[1] - paired[0] < alone[1] - alone[0]
