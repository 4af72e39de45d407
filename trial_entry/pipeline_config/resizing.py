"""The config's room, resizing: what the image resizer makes of images of any size, in numpy.

The source is the API's `core/preprocessor.py`: `resize_image` and `resize_to_range`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trial_entry.pipeline_config.image_size import size_path
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Resized:
    """Images as the model sees them, in pixels; every array has one element an image.

    Attributes:
        height, width: of the picture itself.
        padded_height, padded_width: with what is padded below and to the right of it.
    """

    height: Floats
    width: Floats
    padded_height: Floats
    padded_width: Floats


def resized(config: TrainEvalPipelineConfig, height: Floats, width: Floats) -> Resized:
    """What the config's resizer makes of images of these sizes, in pixels.

    Raises:
        AssignmentError: the config's resizer has no size.
    """
    _, model, _, kind, _ = size_path(config).split(".")
    resizer = getattr(getattr(config.model, model).image_resizer, kind)
    if kind == "fixed_shape_resizer":
        all_height, all_width = np.full(height.shape, float(resizer.height)), np.full(width.shape, float(resizer.width))
        return Resized(all_height, all_width, all_height, all_width)
    least, most = float(resizer.min_dimension), float(resizer.max_dimension)
    factor = least / np.minimum(height, width)
    too_large = np.maximum(np.rint(height * factor), np.rint(width * factor)) > most
    factor = np.where(too_large, most / np.maximum(height, width), factor)
    height, width = np.rint(height * factor), np.rint(width * factor)
    if resizer.pad_to_max_dimension:
        return Resized(height, width, np.full(height.shape, most), np.full(width.shape, most))
    return Resized(height, width, height, width)
