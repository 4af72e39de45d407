"""The config's room, batches: the shape of each image when it is put into a batch, which must be the same for all.

The source is the API's `builders/image_resizer_builder.py` and `core/preprocessor.py`.
"""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.resizing import resized

# Seen by running each many times; those with a fixed aspect ratio do not change it.
_CHANGING = frozenset(
    (
        "random_crop_image",
        "random_pad_image",
        "random_crop_pad_image",
        "random_self_concat_image",
        "ssd_random_crop",
        "ssd_random_crop_pad",
    )
)
_SIZED = ("fixed_shape_resizer", "keep_aspect_ratio_resizer")


def resizer_path(config: TrainEvalPipelineConfig) -> str:
    """The path of the resizer in use."""
    return f"model.{config.model.WhichOneof('model')}.image_resizer.{_image_resizer(config)[1]}"


def batch_shape(config: TrainEvalPipelineConfig, width: int, height: int) -> tuple[int, int]:
    """Width and height of an image as the resizer leaves it, in pixels, padding included.

    Args:
        width, height: as it is stored, in pixels.
    """
    resizers, kind = _image_resizer(config)
    resizer = getattr(resizers, kind or "identity_resizer")
    if kind in _SIZED:
        found = resized(config, np.array([float(height)]), np.array([float(width)]))
        return int(found.padded_width[0]), int(found.padded_height[0])
    if kind == "pad_to_multiple_resizer":
        multiple = max(1, int(resizer.multiple))
        return -(-width // multiple) * multiple, -(-height // multiple) * multiple
    if kind == "conditional_shape_resizer":
        smaller = resizer.condition == resizer.SMALLER
        edge = min(width, height) if smaller else max(width, height)
        # TensorFlow computes in single precision and cuts off.
        scale = np.float32((max if smaller else min)(edge, resizer.size_threshold)) / np.float32(edge)
        return int(width * scale), int(height * scale)
    return width, height


def changing_steps(config: TrainEvalPipelineConfig) -> list[str]:
    """The augmentations whose output has other proportions each time, by their path."""
    steps = enumerate(config.train_config.data_augmentation_options)
    named = [(number, step.WhichOneof("preprocessing_step")) for number, step in steps]
    return [f"train_config.data_augmentation_options.{number}.{name}" for number, name in named if name in _CHANGING]


def _image_resizer(config: TrainEvalPipelineConfig) -> tuple[Message, str]:
    """The config's resizer, and the kind that it is."""
    resizer: Message = getattr(config.model, config.model.WhichOneof("model")).image_resizer
    return resizer, resizer.WhichOneof("image_resizer_oneof") or ""
