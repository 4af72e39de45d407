"""Data's anchor fit: the scales and aspect ratios of a config's own anchor generator that overlap given boxes best.

It is k-means with 1 − IoU as the distance (Redmon and Farhadi, "YOLO9000", 2017), with two differences. The distance is
to the nearest anchor where the generator really puts it, so that a small anchor on a coarse map is not thought to match
everywhere; and what is moved is not a free width and height but the generator's own parameters, each to the median of
what the boxes that are nearest to its anchors ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trial_entry.pipeline_config.anchors import AnchorGenerator, AnchorShapes, Boxes

MATCHED = 0.5  # IoU from which an anchor learns from a box in the API's usual matcher
_BOXES = 3000  # that are fitted to; more say the same
_ROUNDS = 12
_MOST_RATIOS = 5
_USUAL_RATIOS = 3
_LEAST_SHARE = 0.001  # of the boxes, below which a parameter is not moved
_AS_GOOD = 0.005  # of the boxes: a smaller difference is none
_AS_NEAR = 0.02  # of the mean IoU
_PYRAMID_STARTS = (0.5, 0.7, 1.0, 1.4)  # of the scale now
_LARGE = 95  # percentile of sizes
_SMALLEST_IOU = 1e-3


@dataclass(frozen=True)
class AnchorFit:
    """Scales and aspect ratios, and how well their anchors overlap boxes.

    Attributes:
        scales, ratios: as the aliases anchor_scales and aspect_ratios have them.
        matched: the share of the boxes that an anchor overlaps by MATCHED or more.
        mean: the mean of the best IoUs.
        shapes: how many anchors there are a cell, over all maps.
    """

    scales: tuple[float, ...]
    ratios: tuple[float, ...]
    matched: float
    mean: float
    shapes: int


def measure_anchors(
    generator: AnchorGenerator, scales: Sequence[float], ratios: Sequence[float], boxes: Boxes
) -> AnchorFit:
    """How well the anchors with these scales and aspect ratios overlap `boxes`."""
    shapes = generator.shapes(scales, ratios)
    best = generator.overlaps(shapes, boxes).max(1, initial=0.0)
    return AnchorFit(
        tuple(scales), tuple(ratios), float((best >= MATCHED).mean()), float(best.mean()), len(shapes.level)
    )


def fit_anchors(generator: AnchorGenerator, boxes: Boxes, same_number: bool = False) -> AnchorFit:
    """The fewest aspect ratios, and the scales, with which as many boxes are matched as can be; rounded.

    The config's own number of scales stays: there is one a layer, or one in all.

    Args:
        same_number: whether the number of aspect ratios stays too.
    """
    some = boxes[:: max(1, -(-len(boxes) // _BOXES))]
    now = len(generator.ratios)
    counts = [now] if same_number else range(1, min(_MOST_RATIOS, max(_USUAL_RATIOS, now)) + 1)
    found = [
        _fitted(generator, scales, ratios, some)
        for ratios in _ratio_starts(generator, some, counts)
        for scales in _scale_starts(generator, some)
    ]
    highest = max(each.matched for each in found)
    enough = [each for each in found if each.matched >= highest - _AS_GOOD]
    nearest = max(each.mean for each in enough)
    best = min((each for each in enough if each.mean >= nearest - _AS_NEAR), key=lambda each: (each.shapes, -each.mean))
    return measure_anchors(generator, best.scales, best.ratios, boxes)


def better(new: AnchorFit, now: AnchorFit) -> bool:
    """Whether `new` matches noticeably more boxes, or as many noticeably nearer."""
    return new.matched >= now.matched + _AS_GOOD or (new.matched >= now.matched and new.mean >= now.mean + _AS_NEAR)


def _fitted(generator: AnchorGenerator, scales: Sequence[float], ratios: Sequence[float], boxes: Boxes) -> AnchorFit:
    """The best that k-means comes by, from one start."""
    best: AnchorFit | None = None
    for _ in range(_ROUNDS):
        scales, ratios = [_rounded(value) for value in scales], sorted(_rounded(value) for value in ratios)
        shapes = generator.shapes(scales, ratios)
        overlaps = generator.overlaps(shapes, boxes)
        nearest = overlaps.max(1, initial=0.0)
        fit = AnchorFit(
            tuple(scales),
            tuple(ratios),
            float((nearest >= MATCHED).mean()),
            float(nearest.mean()),
            len(shapes.level),
        )
        if best is None or (fit.matched, fit.mean) > (best.matched, best.mean):
            best = fit
        moved = _moved(generator, shapes, overlaps, boxes, (scales, ratios))
        if moved == (scales, ratios):
            break
        scales, ratios = moved
    assert best is not None
    return best


def _moved(
    generator: AnchorGenerator,
    shapes: AnchorShapes,
    overlaps: NDArray[np.float64],
    boxes: Boxes,
    before: tuple[Sequence[float], Sequence[float]],
) -> tuple[list[float], list[float]]:
    """Each parameter at the median of what the boxes nearest to its anchors ask for; as it was where hardly any are."""
    owner = overlaps.argmax(1)
    met = overlaps.max(1) > _SMALLEST_IOU
    size = np.sqrt(boxes.height * boxes.width) / (generator.unit(boxes) * shapes.per_scale[owner])
    ratio = boxes.width / boxes.height / generator.skew
    scales, ratios = list(before[0]), list(before[1])
    for values, asked, index in ((scales, size, shapes.scale[owner]), (ratios, ratio, shapes.ratio[owner])):
        for place in range(len(values)):
            of_it = met & (index == place)
            if of_it.mean() >= _LEAST_SHARE:
                values[place] = _rounded(float(np.median(asked[of_it])))
    return sorted(scales), sorted(ratios)  # a coarser map, which sees more of the image, has the larger anchors


def _ratio_starts(generator: AnchorGenerator, boxes: Boxes, counts: Iterable[int]) -> Iterator[list[float]]:
    """Centres of the boxes' aspect ratios, as many as each of `counts`; and the config's own."""
    logs = np.log(boxes.width / boxes.height / generator.skew)
    for count in counts:
        if count <= len(np.unique(logs)):
            yield [float(value) for value in np.exp(_centres(logs, count))]
    if generator.ratios:
        yield list(generator.ratios)


def _scale_starts(generator: AnchorGenerator, boxes: Boxes) -> Iterator[list[float]]:
    """The config's own; and what the boxes' sizes suggest."""
    yield list(generator.scales)
    if generator.kind == "multiscale_anchor_generator":
        yield from ([generator.scales[0] * factor] for factor in _PYRAMID_STARTS)
        return
    unit = generator.unit(boxes)
    sizes = np.sqrt(boxes.height * boxes.width)
    large = np.percentile(sizes, _LARGE)
    base = float(generator.shapes(generator.scales, [1.0]).per_scale[0])
    # A map whose cells are larger than the objects meets them by luck: it keeps the scale that it has.
    usable = [place for place, stride in enumerate(generator.strides) if stride <= large] or [0]
    if generator.kind != "ssd_anchor_generator":
        usable = list(range(len(generator.scales)))
    logs = np.log(sizes / unit / base)
    centres = [float(value) for value in np.exp(_centres(logs, min(len(usable), len(np.unique(logs)))))]
    yield [*centres, *generator.scales[len(centres) :]]


def _centres(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Of `count` clusters on a line, in rising order."""
    from sklearn.cluster import KMeans  # here: it takes a second to import

    found = KMeans(n_clusters=count, n_init=4, random_state=0).fit(values[:, None])
    return np.sort(found.cluster_centers_[:, 0])


def _rounded(value: float) -> float:
    """Three digits, as they will be printed."""
    return float(f"{value:.3g}")
