"""Measuring's suppression: which boxes of an image remain, as the API's own post-processing has it, by NumPy alone.

The steps of `object_detection.core.post_processing.batch_multiclass_non_max_suppression`, and of TensorFlow's
NonMaxSuppressionV5 within it, in float32 and with their rules for ties: the first of equal scores wins.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]


@dataclass(frozen=True)
class Suppression:
    """How boxes suppress each other; the fields of `post_processing.batch_non_max_suppression`.

    Attributes:
        score_threshold: what is not above it is no detection.
        iou_threshold: a box that overlaps a surer one more than this goes.
        max_per_class: detections of one class in an image.
        max_total: detections in an image.
        class_agnostic: whether boxes of different classes suppress each other too; each anchor then has one class.
        soft_sigma: of soft suppression, which lowers scores instead; 0 for none.
        change_frame: whether boxes become shares of the window that they are clipped to.
    """

    score_threshold: float
    iou_threshold: float
    max_per_class: int
    max_total: int
    class_agnostic: bool = False
    soft_sigma: float = 0.0
    change_frame: bool = False


@dataclass(frozen=True)
class Candidates:
    """Boxes of one image, n of them, in the order of anchors and, for each anchor, of classes.

    Attributes:
        anchors: [n], which anchor or proposal each is of.
        labels: [n], class ids.
        boxes: [n, 4] as ymin, xmin, ymax, xmax.
        scores: [n].
    """

    anchors: Integers
    labels: Integers
    boxes: Floats
    scores: Floats

    def __getitem__(self, places: slice | NDArray[np.integer] | NDArray[np.bool_]) -> Candidates:
        return Candidates(self.anchors[places], self.labels[places], self.boxes[places], self.scores[places])


def suppress(candidates: Candidates, window: Floats, suppression: Suppression) -> Candidates:
    """What remains of one image, the surest first.

    Args:
        window: [4], what boxes are clipped to; a box outside goes.
    """
    found = candidates[candidates.scores > np.float32(suppression.score_threshold)]
    if suppression.class_agnostic:
        chosen = _select(_surest_classes(found), suppression.max_total, suppression)
    else:
        per_class = [
            _select(found[found.labels == label], suppression.max_per_class, suppression)
            for label in np.unique(found.labels)
        ]
        chosen = _joined(per_class)
    chosen = chosen[np.argsort(-chosen.scores, kind="stable")]
    boxes = np.stack([np.clip(chosen.boxes[:, edge], window[edge % 2], window[2 + edge % 2]) for edge in range(4)], 1)
    kept = np.flatnonzero((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) > 0)[: suppression.max_total]
    boxes = boxes[kept]
    if suppression.change_frame:
        size = np.float32(1) / (window[2:] - window[:2])
        boxes = (boxes - np.tile(window[:2], 2)) * np.tile(size, 2)
    return Candidates(chosen.anchors[kept], chosen.labels[kept], boxes, chosen.scores[kept])


def _joined(parts: list[Candidates]) -> Candidates:
    if not parts:
        nothing = np.zeros(0, np.int32)
        return Candidates(nothing, nothing, np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    return Candidates(
        np.concatenate([each.anchors for each in parts]),
        np.concatenate([each.labels for each in parts]),
        np.concatenate([each.boxes for each in parts]),
        np.concatenate([each.scores for each in parts]),
    )


def _surest_classes(found: Candidates) -> Candidates:
    """Of each anchor the class with the highest score, the first of equal ones."""
    order = np.lexsort((found.labels, -found.scores, found.anchors))
    _, first = np.unique(found.anchors[order], return_index=True)
    return found[order[first]]


def _select(found: Candidates, most: int, suppression: Suppression) -> Candidates:
    if suppression.soft_sigma > 0:
        return _select_softly(found, most, suppression)
    alive, chosen = np.argsort(-found.scores, kind="stable"), list[int]()
    while alive.size and len(chosen) < most:
        surest, alive = int(alive[0]), alive[1:]
        chosen.append(surest)
        alive = alive[~(_ious(found.boxes[surest], found.boxes[alive]) > np.float32(suppression.iou_threshold))]
    return found[np.array(chosen, np.int64)]


def _select_softly(found: Candidates, most: int, suppression: Suppression) -> Candidates:
    """Soft suppression: a box's score falls by every surer box that was chosen, as much as they overlap."""
    scale, lowest = np.float32(-0.5 / suppression.soft_sigma), np.float32(suppression.score_threshold)
    waiting = [(-score, place, 0) for place, score in enumerate(found.scores)]  # and how many chosen it has met
    heapq.heapify(waiting)
    chosen: list[int] = []
    scores: list[np.float32] = []
    while waiting and len(chosen) < most:
        negative, place, met = heapq.heappop(waiting)
        score = before = np.float32(-negative)
        for other in reversed(chosen[met:]):
            iou = _ious(found.boxes[place], found.boxes[[other]])[0]
            score = score * np.exp(scale * iou * iou, dtype=np.float32)
            if score <= lowest:
                break
        if score == before:
            chosen.append(place)
            scores.append(score)
        elif score > lowest:
            heapq.heappush(waiting, (-score, place, len(chosen)))
    kept = found[np.array(chosen, np.int64)]
    return Candidates(kept.anchors, kept.labels, kept.boxes, np.array(scores, np.float32))


def _ious(box: Floats, others: Floats) -> Floats:
    """Of one box with each of `others` [n, 4]: [n]; 0 with a box that has no area."""
    low, high = np.minimum(others[:, :2], others[:, 2:]), np.maximum(others[:, :2], others[:, 2:])
    own_low, own_high = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])
    areas, own_area = np.prod(high - low, 1), np.prod(own_high - own_low)
    edges = np.maximum(np.minimum(high, own_high) - np.maximum(low, own_low), 0)
    common = np.prod(edges, 1)
    shares: Floats = np.zeros_like(areas)
    np.divide(common, own_area + areas - common, out=shares, where=(areas > 0) & (own_area > 0))
    return shares


def is_kept(floor: float, suppression: Suppression) -> bool:
    """Whether boxes that were kept from the score `floor` on are all that `suppression` asks for."""
    return suppression.score_threshold >= floor or math.isclose(suppression.score_threshold, floor, rel_tol=1e-6)
