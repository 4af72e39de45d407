"""What looks wrong about boxes and images, each kind by itself."""

from __future__ import annotations

import math

import pytest

from boxtune.data.sheet.oddities import KINDS, oddities
from tests.boxtune.data.made import box, example, picture
from trial_entry.records.detection_example import DetectionExample, ExampleObject

PLAIN = box(1, "cat", 0.1, 0.1, 0.4, 0.6)
CASES: dict[str, DetectionExample] = {
    "unreadable": example([PLAIN], encoded=b"no image"),
    "size": example([PLAIN], encoded=picture(100, 200)),
    "flat": example([PLAIN, box(1, "cat", 0.5, 0.5, 0.5, 0.7)]),
    "outside": example([PLAIN, box(1, "cat", 0.8, 0.5, 1.1, 0.7)]),
    "class": example([PLAIN, box(0, "dragon", 0.5, 0.5, 0.8, 0.7)]),
    "classes": example([PLAIN, box(2, "dog", 0.1, 0.1, 0.4, 0.61)]),
    "twice": example([PLAIN, box(1, "cat", 0.1, 0.1, 0.4, 0.61)]),
    "tiny": example([PLAIN, box(1, "cat", 0.5, 0.5, 0.51, 0.55)]),
    "long": example([PLAIN, box(1, "cat", 0.05, 0.9, 0.95, 0.95)]),
    "all": example([box(1, "cat", 0.0, 0.0, 1.0, 1.0)]),
}


def kinds(each: DetectionExample, has_labels: bool = True) -> list[str]:
    return [found.kind for found in oddities(each, has_labels)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_alone(kind: str) -> None:
    (found,) = oddities(CASES[kind], True)
    assert found.kind == kind
    assert found.what
    assert all(0 <= number < len(CASES[kind].objects) for number in found.objects)


def test_nothing_is_odd_about_plain_boxes() -> None:
    assert kinds(example([PLAIN, box(2, "dog", 0.5, 0.1, 0.9, 0.6)])) == []
    assert kinds(example()) == []


def test_a_box_in_pixels_is_said_to_be_one_and_comes_first() -> None:
    (pixels,) = oddities(example([box(1, "cat", 20, 10, 90, 60)]), True)
    (beyond,) = oddities(CASES["outside"], True)
    assert "pixels, where shares of the image belong" in pixels.what
    assert pixels.rank > beyond.rank
    assert beyond.what.startswith("20 pixels beyond")


def test_no_number_is_no_area() -> None:
    assert kinds(example([box(1, "cat", math.nan, 0.1, 0.5, 0.5)])) == ["flat"]
    assert kinds(example([box(1, "cat", 0.6, 0.1, 0.5, 0.5)])) == ["flat"]


def test_a_class_is_missing_only_where_there_is_a_label_map() -> None:
    assert kinds(CASES["class"], has_labels=False) == []


def test_a_crowd_lies_over_its_members() -> None:
    crowd = ExampleObject(1, "cat", 0.1, 0.1, 0.4, 0.6, is_crowd=True)
    assert kinds(example([PLAIN, crowd])) == []


def test_many_boxes_are_compared_pair_by_pair() -> None:
    spread = [box(1, "cat", 0.01 * n, 0.1, 0.01 * n + 0.3, 0.6) for n in range(60)]
    pairs = [found.objects for found in oddities(example(spread), True)]
    overlap = 0.29 / 0.31
    assert overlap > 0.9
    assert pairs == [(n, n + 1) for n in range(59)]
