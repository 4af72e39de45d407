"""Measuring's intervals: how far the images alone move COCO's numbers, by the bootstrap.

Groups of images (the tiles of one picture) are drawn with replacement, as many as there are, and the metrics are
computed again of what was drawn. Which detection matches which object is a matter of one image alone, so pycocotools
matches once and each draw only weighs the matches.

COCO's interpolated precision is too high on few images, and higher still on a draw of them, which has some twice. So
the interval is the basic bootstrap's (Davison and Hinkley, Bootstrap Methods and their Application, section 5.2): what
the draws lie above the images as they are, these lie above the truth. Of simulated data sets of 25 and 100 images it
held the truth in 84 to 90 of 100 at a nominal 90, where the percentiles of the draws themselves held it in 42 to 81.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trial_entry.contract.metrics import MAP, MAP_50, PRECISION, RECALL, class_metric
from trial_entry.measuring.detections import Detections, Result

MAP_75 = "mAP_75"
LEVEL = 0.9
_RECALLS = np.linspace(0, 1, 101)
_IOUS = np.linspace(0.5, 0.95, 10)
_AT_50, _AT_75 = 0, 5  # places in _IOUS
_MOST = 100  # detections of a class in an image that COCO looks at
_CELLS = 4_000_000  # numbers in one array at a time
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A metric, and where it would lie on all images of the kind.

    Attributes:
        value: of the images as they are.
        low, high: from 0 to 1.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class _Matches:
    """One class: every detection that counts somewhere, the surest first, n of them.

    Attributes:
        images: [n], the place of each one's image.
        scores: [n].
        found: [10, n], whether it finds an object, at each IoU.
        ignored: [10, n], whether it is neither right nor wrong (it finds a crowd).
        objects: [images], how many there are.
    """

    images: NDArray[np.int64]
    scores: Floats
    found: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    objects: NDArray[np.int64]


def intervals(
    detections: Detections,
    class_names: Mapping[int, str],
    score_threshold: float,
    groups: Sequence[object],
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """mAP (at all IoUs, 0.5 and 0.75), that of each class, precision and recall, each with its interval of `LEVEL`.

    A draw without an object of a class leaves the class out of its mean, as COCO does.

    Args:
        class_names: the name of each class as it stands in `mAP_class_NAME`.
        score_threshold: for precision and recall.
        groups: what each image of `detections.images` is drawn together with; equal ones are one group.
        resamples: how many draws.
    """
    found = drawn_metrics(detections, class_names, score_threshold, groups, resamples, seed)
    return {name: _interval(values) for name, values in found.items()}


def drawn_metrics(
    detections: Detections,
    class_names: Mapping[int, str],
    score_threshold: float,
    groups: Sequence[object],
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Floats]:
    """Each metric of `intervals`, [1 + resamples]: of the images as they are, then of each draw of them.

    Equal groups, resamples and seed draw equal images, so that the metrics of two models on them are paired.

    Args:
        as in `intervals`.
    """
    matches = _matches(detections)
    if not matches:
        return {}
    drawn = _draws(groups, resamples, seed)
    weights = np.concatenate([np.ones((1, len(groups))), drawn])  # the first row is the images as they are
    precisions = {number: _average_precisions(each, weights) for number, each in matches.items()}
    table = np.stack(list(precisions.values()))  # [classes, draws, 10]
    found: dict[str, Floats] = {
        MAP: _mean(_mean(table, -1), 0),
        MAP_50: _mean(table[..., _AT_50], 0),
        MAP_75: _mean(table[..., _AT_75], 0),
        **_operating_point(list(matches.values()), weights, score_threshold),
        **{
            class_metric(class_names[number]): _mean(precisions[number], -1)
            for number in matches
            if number in class_names
        },
    }
    return {name: values for name, values in found.items() if np.isfinite(values[0])}


def difference_interval(one: Sequence[Floats], other: Sequence[Floats]) -> tuple[float, float] | None:
    """The interval of `LEVEL` of one mean less another, the images being all that varies; None where no draw has both.

    Args:
        one, other: what `drawn_metrics` has of one metric, of each of several models on the same draws; with nothing in
            `other` the interval is that of the mean of `one`.
    """
    means = [np.mean(np.stack(list(each)), 0) for each in (one, other) if each]
    values = means[0] - means[1] if len(means) > 1 else means[0]
    draws, edge = values[1:], (1 - LEVEL) / 2
    if not np.isfinite(draws).any():
        return None
    low, high = 2 * values[0] - np.nanquantile(draws, (1 - edge, edge))
    return float(low), float(high)


def _interval(values: Floats) -> Interval:
    value, draws, edge = float(values[0]), values[1:], (1 - LEVEL) / 2
    if not np.isfinite(draws).any():  # of a class so rare that it is in none
        return Interval(value, 0.0, 1.0)
    low, high = np.clip(2 * value - np.nanquantile(draws, (1 - edge, edge)), 0, 1)
    return Interval(value, float(low), float(high))


def _draws(groups: Sequence[object], resamples: int, seed: int) -> Floats:
    """[resamples, images], how often each image was drawn."""
    numbers: dict[object, int] = {}
    members = np.array([numbers.setdefault(group, len(numbers)) for group in groups])
    count = len(numbers)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    return drawn[:, members].astype(np.float64)


def _matches(detections: Detections) -> dict[int, _Matches]:
    """Of each class that has an object."""
    places = {each["id"]: place for place, each in enumerate(detections.images)}
    evaluated = _pycocotools(detections, detections.results)
    found: dict[int, _Matches] = {}
    for index, category in enumerate(evaluated.params.catIds):
        cells = evaluated.evalImgs[index * len(places) : (index + 1) * len(places)]
        cells = [each for each in cells if each is not None]
        objects = np.zeros(len(places), np.int64)
        for each in cells:
            objects[places[each["image_id"]]] = np.count_nonzero(~np.asarray(each["gtIgnore"], bool))
        if not objects.any():
            continue
        images = [np.full(len(each["dtScores"]), places[each["image_id"]]) for each in cells]
        scores = np.concatenate([np.asarray(each["dtScores"], np.float64) for each in cells])
        matched = np.concatenate([np.asarray(each["dtMatches"]).reshape(len(_IOUS), -1) != 0 for each in cells], 1)
        ignored = np.concatenate([np.asarray(each["dtIgnore"], bool).reshape(len(_IOUS), -1) for each in cells], 1)
        order = np.argsort(-scores, kind="mergesort")  # COCO's: of equal scores the first image's
        found[category] = _Matches(
            np.concatenate(images)[order], scores[order], (matched & ~ignored)[:, order], ignored[:, order], objects
        )
    return found


def _pycocotools(detections: Detections, results: Sequence[Result]):  # type: ignore[no-untyped-def]  # it has no types
    """pycocotools' evaluation, which keeps what it matched; faster-coco-eval keeps that to itself."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth, found = COCO(), COCO()
        truth.dataset = detections.truth()
        truth.createIndex()
        boxes = [
            {**each, "id": number, "area": each["bbox"][2] * each["bbox"][3], "iscrowd": 0}
            for number, each in enumerate(results, start=1)
        ]
        found.dataset = {**detections.truth(), "annotations": boxes}  # what loadRes makes, which refuses an empty list
        found.createIndex()
        evaluated = COCOeval(truth, found, "bbox")
        evaluated.params.imgIds = [each["id"] for each in detections.images]
        evaluated.params.areaRng, evaluated.params.areaRngLbl = evaluated.params.areaRng[:1], ["all"]
        evaluated.evaluate()
    return evaluated


def _average_precisions(matches: _Matches, weights: Floats) -> Floats:
    """[draws, 10]; NaN in a draw without an object."""
    rows = max(1, _CELLS // max(1, len(matches.scores)))
    parts = [_of_rows(matches, weights[start : start + rows]) for start in range(0, len(weights), rows)]
    return np.concatenate(parts)


def _of_rows(matches: _Matches, weights: Floats) -> Floats:
    objects = weights @ matches.objects
    times = weights[:, matches.images]
    found = np.empty((len(weights), len(_IOUS)))
    for place in range(len(_IOUS)):
        right = np.cumsum(times * matches.found[place], 1)
        wrong = np.cumsum(times * (~matches.found[place] & ~matches.ignored[place]), 1)
        found[:, place] = _area(right, wrong, objects)
    found[objects == 0] = np.nan
    return found


def _area(right: Floats, wrong: Floats, objects: Floats) -> Floats:
    """Precision's mean at COCO's 101 recalls: at each the best from there on, 0 beyond the last."""
    total = right + wrong
    precision = np.divide(right, total, out=np.zeros_like(right), where=total > 0)
    best = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    recall = right / np.maximum(objects, 1)[:, None]
    means = np.zeros(len(right))
    for row in range(len(right)):
        at = np.searchsorted(recall[row], _RECALLS, side="left")
        means[row] = best[row, at[at < best.shape[1]]].sum() / len(_RECALLS)
    return means


def _operating_point(matches: Sequence[_Matches], weights: Floats, score_threshold: float) -> dict[str, Floats]:
    """As `operating_point.measure`: a surer detection is matched first, so the others change nothing of it."""
    right, counted, objects = (np.zeros(len(weights)) for _ in range(3))
    for each in matches:
        sure = each.scores >= score_threshold
        times = weights[:, each.images[sure]]
        right += times @ each.found[_AT_50, sure]
        counted += times @ ~each.ignored[_AT_50, sure]
        objects += weights @ each.objects
    precision = np.divide(right, counted, out=np.zeros_like(right), where=counted > 0)
    return {PRECISION: precision, RECALL: np.divide(right, objects, out=np.full_like(right, np.nan), where=objects > 0)}


def _mean(values: Floats, axis: int) -> Floats:
    """Over what is there."""
    there = np.isfinite(values)
    count = there.sum(axis)
    total = np.where(there, values, 0).sum(axis)
    found: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return found
