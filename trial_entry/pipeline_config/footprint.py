"""The config's room, footprints: what tells how much memory a training takes beside another one's of the same model.

Memory goes with the pixels of a batch, as long as the model is the same. Which numbers of a model leave its memory as
it is was read from the API's protos: no fraction changes the shape of a tensor but `depth_multiplier`, and of a list of
fractions (aspect ratios, scales) only its length does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from trial_entry.errors import RequestError
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

# How a model learns and what becomes of its boxes, not how large it is.
_WEIGHTLESS = frozenset(
    (
        "image_resizer",
        "loss",
        "hard_example_miner",
        "post_processing",
        "second_stage_post_processing",
        "regularizer",
        "initializer",
        "box_coder",
        "matcher",
        "similarity_calculator",
    )
)
_FRACTIONS = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)
_WIDTH = "depth_multiplier"


@dataclass(frozen=True)
class Footprint:
    """What a training takes, in numbers that can be compared with another one's of the same `kind`.

    Attributes:
        model: tells models that take different memory for the same batch; a digest.
        name: the feature extractor's type, for people.
        batch_size: images of a step.
        width, height: of the largest image that the resizer can give, in pixels; None where the data decide.
        resizer: its text where the data decide the size, else empty.
    """

    model: str
    name: str
    batch_size: int
    width: int | None = None
    height: int | None = None
    resizer: str = ""

    @property
    def kind(self) -> tuple[str, str]:
        """What must be equal for `load` to be comparable."""
        return self.model, self.resizer

    @property
    def pixels(self) -> int | None:
        """Of one image; None where the data decide."""
        return None if self.width is None or self.height is None else self.width * self.height

    @property
    def load(self) -> int:
        """Pixels of a batch; its images, where the data decide their size."""
        return self.batch_size * (1 if self.pixels is None else self.pixels)

    def __str__(self) -> str:
        size = f"images by {self.resizer.split(' ')[0]}" if self.pixels is None else f"{self.width} x {self.height}"
        return f"{self.batch_size} x {size} of {self.name}"


def footprint(config: TrainEvalPipelineConfig) -> Footprint:
    """What the config's training takes.

    Raises:
        RequestError: it has no model.
    """
    used = config.model.WhichOneof("model")
    if used is None:
        raise RequestError("model: not set")
    model, train = getattr(config.model, used), config.train_config
    half = train.use_bfloat16  # numbers of half the size
    digest = hashlib.sha256("\n".join([used, f"bfloat16 {half}", *_lines(model, "")]).encode()).hexdigest()
    name = model.feature_extractor.type or used if hasattr(model, "feature_extractor") else used
    size = _largest(model.image_resizer) if hasattr(model, "image_resizer") else None
    if size is not None:
        return Footprint(digest, name, int(train.batch_size), *size)
    resizer = model.image_resizer if hasattr(model, "image_resizer") else ""
    return Footprint(digest, name, int(train.batch_size), resizer=" ".join(str(resizer).split()) or "their own size")


def _lines(message: Message, path: str) -> Iterator[str]:
    """What of a message decides how much memory it takes, a field a line."""
    for field, value in message.ListFields():
        where = f"{path}.{field.name}"
        if field.name in _WEIGHTLESS:
            continue
        values = list(value) if field.is_repeated else [value]
        if field.cpp_type in _FRACTIONS and field.name != _WIDTH:
            if field.is_repeated:
                yield f"{where} {len(values)}"
        elif field.message_type is None:
            yield f"{where} {values}"
        else:
            yield where
            for each in values:
                yield from _lines(each, where)


def _largest(resizers: Message) -> tuple[int, int] | None:
    """Width and height of the largest image that a resizer gives; None where the data decide.

    An image that keeps its aspect ratio is largest where both edges are at their limits.
    """
    kind = resizers.WhichOneof("image_resizer_oneof")
    resizer = getattr(resizers, kind or "identity_resizer")
    if kind == "fixed_shape_resizer":
        return int(resizer.width), int(resizer.height)
    if kind != "keep_aspect_ratio_resizer":
        return None
    least, most = int(resizer.min_dimension), int(resizer.max_dimension)
    return most, most if resizer.pad_to_max_dimension else min(least, most)
