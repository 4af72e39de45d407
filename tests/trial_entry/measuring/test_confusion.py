"""Which class is taken for which."""

from __future__ import annotations

from trial_entry.measuring.confusion import confusion
from trial_entry.measuring.detections import Annotation, Detections, Result

CUP, BALL = 1, 2
HERE, BESIDE, FAR = [0.0, 0.0, 10.0, 10.0], [2.0, 0.0, 10.0, 10.0], [50.0, 50.0, 10.0, 10.0]


def truth(label: int, box: list[float], crowd: int = 0, image: int = 1) -> Annotation:
    area = box[2] * box[3]
    return {"id": 1, "image_id": image, "category_id": label, "bbox": box, "area": area, "iscrowd": crowd}


def found(label: int, box: list[float], score: float = 0.9, image: int = 1) -> Result:
    return {"image_id": image, "category_id": label, "bbox": box, "score": score}


def matrix(truths: list[Annotation], results: list[Result]) -> tuple[tuple[int, ...], ...]:
    held = Detections(
        [{"id": BALL, "name": "ball"}, {"id": CUP, "name": "cup"}], [{"id": 1}, {"id": 2}], truths, results
    )
    counted = confusion(held, 0.5)
    assert counted.labels == ("cup", "ball", "nothing")
    return counted.counts


def test_right_wrong_missed_and_invented() -> None:
    truths = [truth(CUP, HERE), truth(BALL, FAR), truth(BALL, HERE, image=2)]
    results = [found(CUP, BESIDE), found(CUP, FAR), found(BALL, [90.0, 0.0, 5.0, 5.0])]
    assert matrix(truths, results) == ((1, 0, 0), (1, 0, 1), (0, 1, 0))


def test_the_right_class_comes_before_the_better_box() -> None:
    assert matrix([truth(CUP, HERE)], [found(BALL, HERE), found(CUP, BESIDE)]) == ((1, 0, 0), (0, 0, 0), (0, 1, 0))


def test_an_object_is_found_once() -> None:
    assert matrix([truth(CUP, HERE)], [found(CUP, HERE), found(CUP, BESIDE)]) == ((1, 0, 0), (0, 0, 0), (1, 0, 0))


def test_what_is_not_sure_or_too_far_off_finds_nothing() -> None:
    results = [found(CUP, HERE, score=0.4), found(CUP, [6.0, 0.0, 10.0, 10.0])]
    assert matrix([truth(CUP, HERE)], results) == ((0, 0, 1), (0, 0, 0), (1, 0, 0))


def test_a_crowd_is_neither_missed_nor_invented() -> None:
    assert matrix([truth(CUP, [0.0, 0.0, 40.0, 40.0], crowd=1)], [found(CUP, HERE)]) == ((0,) * 3,) * 3
