"""Data's small objects: those that a model of this input size can hardly see, with what it would take."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from boxtune.data.checking.record_pictures import RecordPictures
from trial_entry.errors import RequestError
from trial_entry.finding import Finding
from trial_entry.pipeline_config.anchors import AnchorGenerator, anchor_generator
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.resizing import Floats, Resized, resized
from trial_entry.records.features import BBOX
from trial_entry.records.look import RecordsLook

_WORTH_SAYING = 0.01  # of the objects
_RIGHT = "a larger image_size, tiles (boxtune data import --tile) or other anchors (boxtune data priors) would help"


def small_object_findings(
    name: str, look: RecordsLook, pictures: RecordPictures, config: TrainEvalPipelineConfig
) -> Iterator[Finding]:
    """How many objects fall under the smallest anchor, and under one cell of the finest feature map.

    Args:
        name: of the split.
    """
    rows = np.asarray(pictures.objects, np.float64).reshape(-1, 4)
    if not len(rows):
        return
    width, height, image_width, image_height = rows.T
    try:
        generator = anchor_generator(config)
        seen = resized(config, image_height, image_width)
    except RequestError as unknown:
        yield Finding("note", f"{unknown}; so small objects were not looked for", feature=name)
        return
    width, height = width * seen.width / image_width, height * seen.height / image_height
    if generator is None:
        return
    edge = np.sqrt(np.maximum(0, width * height))
    smallest = _smallest_anchor(generator, seen)
    stride = generator.strides[0]
    for small, what in (
        (edge < smallest, f"are smaller than the smallest anchor ({_pixels(smallest)})"),
        (np.minimum(width, height) < stride, f"are thinner than one stride of the feature map ({stride} pixels)"),
    ):
        count = int(small.sum())
        if count >= _WORTH_SAYING * len(rows):
            place = look.place(int(pictures.image_of[int(np.flatnonzero(small)[0])]))
            said = (
                f"{count} of {len(rows)} objects of {name} {what} as the model sees them, one of this record the first"
            )
            yield Finding("warning", said, _RIGHT, place.file, place.record, BBOX)


def _smallest_anchor(generator: AnchorGenerator, seen: Resized) -> Floats:
    """The edge of a square of its area, in pixels, in the image of every object."""
    shapes = generator.shapes(generator.scales, generator.ratios)
    edge = float(np.sqrt(shapes.height * shapes.width).min())
    if not generator.relative:
        return np.full(seen.height.shape, edge)
    return np.minimum(seen.padded_height, seen.padded_width) * edge


def _pixels(edges: Floats) -> str:
    least, most = edges.min(), edges.max()
    return f"{least:.3g} pixels" if least == most else f"{least:.3g} to {most:.3g} pixels"
