"""Which images show what a detector gets wrong."""

from __future__ import annotations

import numpy as np

from trial_entry.measuring.detections import Category, Detections
from trial_entry.measuring.mistakes import chosen_images

CATEGORIES: list[Category] = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


def test_pictures_show_mistakes_first() -> None:
    """Half of them the worst; a wrong class, a miss and a doubled detection are mistakes."""
    box, empty = np.array([[0, 0, 20, 20]], np.float32), np.zeros((0, 4), np.float32)
    detections = Detections(CATEGORIES)
    for image, (found, classes) in enumerate(
        [(box, [1]), (box, [2]), (box, [1]), (empty, []), (np.repeat(box, 3, axis=0), [1, 1, 1]), (box, [1])]
    ):
        detections.add(
            image,
            {"boxes": box, "classes": np.array([1]), "is_crowd": np.zeros(1, bool)},
            {"boxes": found, "classes": np.array(classes, int), "scores": np.full(len(found), 0.9, np.float32)},
        )
    assert chosen_images(detections, 0.5, 4)[:2] in ([1, 4], [4, 1])  # two mistakes each
    assert len(set(chosen_images(detections, 0.5, 4))) == 4
    assert sorted(chosen_images(detections, 0.5, 100)) == [0, 1, 2, 3, 4, 5]
    assert chosen_images(detections, 0.5, 0) == []
