"""Records' objects, one image's at a time: boxes and classes as the API would take them, and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trial_entry.records.asked import Asked
from trial_entry.records.boxes import box_faults
from trial_entry.records.features import CROWD, LABEL, SIDES, TEXT, WEIGHT, Faults, Features, fault
from trial_entry.records.label_map import LabelMap

DROPPED = -1  # the number of a class that the label map does not have, by which the API drops the box


@dataclass(frozen=True, slots=True)
class Expected:
    """What the records are held against.

    Attributes:
        labels: the label map; None where there is none.
        num_classes: of the model; None where nobody says.
        max_boxes: of an image, above which the API drops them; None for no limit.
        asked: what the config reads besides boxes and classes.
    """

    labels: LabelMap | None = None
    num_classes: int | None = None
    max_boxes: int | None = None
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of one image.

    Attributes:
        boxes: xmin, ymin, xmax, ymax of each, as shares of the image's width and height.
        numbers: the class of each as the API would read it; DROPPED where it has none.
        crowds: whether each is a crowd, which is trained on and not measured.
        flat: how many have no area.
        weighted: whether any counts in training.
        unknown: texts that the label map does not have.
    """

    boxes: Sequence[tuple[float, float, float, float]] = ()
    numbers: Sequence[int] = ()
    crowds: Sequence[bool] = ()
    flat: int = 0
    weighted: bool = False
    unknown: Sequence[str] = ()


def look_at_objects(features: Features, expected: Expected, width: int, height: int) -> tuple[Objects, Faults]:
    """The objects of an image whose features have the right types and lengths, and what is wrong with them.

    Args:
        width, height: of the image in pixels; 0 where that is not known.
    """
    sides = [features.floats.get(side, ()) for side in SIDES]
    boxes = list(zip(*sides, strict=True))
    if not boxes:
        return Objects(), []
    weights = features.floats.get(WEIGHT, ())
    faults = [*box_faults(sides, width, height), *_weight_faults(weights)]
    texts = [text.decode("utf-8", "replace") for text in features.texts.get(TEXT, ())]
    labels = features.ints.get(LABEL, ())
    if texts and expected.labels is not None:
        numbers = [expected.labels.texts.get(text) or DROPPED for text in texts]
        faults += _text_faults(texts, labels, numbers, expected.labels)
        unknown = [text for text, number in zip(texts, numbers, strict=True) if number == DROPPED]
    else:
        numbers, unknown = list(labels or [0] * len(boxes)), []
        faults += _label_faults(labels, expected)
    return Objects(
        boxes,
        numbers,
        [bool(each) for each in features.ints.get(CROWD, ())] or [False] * len(boxes),
        sum(xmin == xmax or ymin == ymax for xmin, ymin, xmax, ymax in boxes),
        not weights or any(weight > 0 for weight in weights),
        unknown,
    ), faults


def _text_faults(texts: Sequence[str], labels: Sequence[int], numbers: Sequence[int], known: LabelMap) -> Faults:
    """Texts of one class beside labels of another, of which the API reads the texts.

    Labels that are 0, or all one less than the texts say, count from 0: the texts are right, and nothing is lost.
    """
    pairs = list(zip(labels, numbers, strict=True)) if len(labels) == len(numbers) else []
    if pairs and all(number > 0 and label in (0, number - 1) for label, number in pairs):
        what = f'is {labels[0]} for "{texts[0]}", class {numbers[0]}: it counts from 0; class/text is read instead'
        return [fault("from 0", LABEL, what, "write the label map's ids, from 1", "warning")]
    for place, (text, number) in enumerate(zip(texts, numbers, strict=True)):
        label = labels[place] if len(labels) == len(texts) else None
        if number in (DROPPED, label):
            continue
        reads = f'the API reads it as class {number} ("{known.labels.get(number, "")}")'
        if not text:
            return [fault("empty", TEXT, f"is empty, and {reads}", "write the class's name, or leave class/text out")]
        if label is not None:
            what = f'is "{text}", and {reads}; class/label is {label}'
            return [fault("contradiction", TEXT, what, "make them agree")]
    return []


def _label_faults(labels: Sequence[int], expected: Expected) -> Faults:
    """Labels that are no class, where there are no texts."""
    most, limit = expected.num_classes, f"1 to num_classes ({expected.num_classes})"
    if most is None:
        limit = "1, the first class (0 is the background)"
    elif expected.labels is not None and (highest := max(expected.labels.labels, default=0)) > most:
        most, limit = highest, f"1 to {highest}, the label map's ids"  # that num_classes is too low is another finding
    for label in labels:
        if label < 1 or (most is not None and label > most):
            return [fault("range", LABEL, f"label {label} is outside {limit}", "write the label map's ids")]
        if expected.labels is not None and label not in expected.labels.labels:
            return [fault("gap", LABEL, f"label {label} has no item in the label map", "add it there", "warning")]
    return []


def _weight_faults(weights: Sequence[float]) -> Faults:
    for weight in weights:
        if not math.isfinite(weight) or weight < 0:
            return [fault("weight", WEIGHT, f"is {weight:g}", "it must be a finite number, 0 or more")]
    return []
