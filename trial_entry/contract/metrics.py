"""The contract's metrics: the name of each that a trial prints, which are shares, and which way is better."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAP = "mAP"
MAP_50 = "mAP_50"
# COCO's twelve, in the order of its `stats`; boxes of all sizes where no size is named.
COCO_STATS = (
    MAP, MAP_50, "mAP_75", "mAP_small", "mAP_medium", "mAP_large",
    "AR_1", "AR_10", "AR_100", "AR_small", "AR_medium", "AR_large",
)  # fmt: skip
PRECISION = "precision"
RECALL = "recall"
TOTAL_LOSS = "total_loss"
STEPS_PER_SECOND = "train_steps_per_second"
DIVERGED = "diverged"


@dataclass(frozen=True)
class Measured:
    """A metric of the boxes that COCO's evaluation does not have.

    Attributes:
        module: of `trial_entry/measuring`; its function `measure(detections, score_threshold)` gives a dictionary with
            the metric's value, which may leave it out where there is nothing to measure.
        share: whether its values lie from 0 to 1.
        less_is_better: whether of two values the lower is the better one.
    """

    module: str
    share: bool = True
    less_is_better: bool = False


FURTHER: Mapping[str, Measured] = {
    PRECISION: Measured("operating_point"),
    RECALL: Measured("operating_point"),
}
PRINTED = (*COCO_STATS, *FURTHER, TOTAL_LOSS, STEPS_PER_SECOND, DIVERGED)

_CLASS_PREFIX = "mAP_class_"
_CLASS = re.compile(rf"{_CLASS_PREFIX}[A-Za-z0-9_-]+")
_SHARES = frozenset((*COCO_STATS, *(name for name, each in FURTHER.items() if each.share)))
_LESS_IS_BETTER = frozenset((TOTAL_LOSS, DIVERGED, *(name for name, each in FURTHER.items() if each.less_is_better)))


def class_metric(label: str) -> str:
    """The name of one class's mAP, by its label as it stands in metrics (`[A-Za-z0-9_-]+`)."""
    return f"{_CLASS_PREFIX}{label}"


def is_metric(name: str) -> bool:
    """Whether a trial prints a metric of this name, a class's for some label map."""
    return name in PRINTED or _CLASS.fullmatch(name) is not None


def is_share(name: str) -> bool:
    """Whether its values lie from 0 to 1."""
    return name in _SHARES or _CLASS.fullmatch(name) is not None


def less_is_better(name: str) -> bool:
    """Whether of two values the lower is the better one; of every other metric it is the higher."""
    return name in _LESS_IS_BETTER


def nearest_metric(name: str, known: Sequence[str] = PRINTED) -> str:
    """What of `known` to write instead of `name`, in words."""
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.4)
    return f'the nearest is "{by_lower[close[0]]}"' if close else f"there are {', '.join(known)}"


@dataclass(frozen=True)
class Objective:
    """What makes one evaluation better than another.

    Attributes:
        metric: its name.
        minimize: whether less of it is better.
    """

    metric: str
    minimize: bool

    def better(self, metrics: Mapping[str, float], than: Mapping[str, float]) -> bool:
        """Whether `metrics` are better; equal ones are not, and without the metric they are worse than any with it."""
        return self.height(metrics) > self.height(than)

    def height(self, metrics: Mapping[str, float]) -> float:
        """What is higher the better `metrics` are; of equal ones `max` by it takes the first."""
        value = metrics.get(self.metric)
        if value is None or math.isnan(value):
            return -math.inf
        return -value if self.minimize else value
