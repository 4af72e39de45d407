"""What augmentation steps must say to be built.

The source is the API's `builders/preprocessor_builder.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import Message

from trial_entry.finding import Finding
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import refused

_PATH = "train_config.data_augmentation_options"
_RATIOS = ("min_padded_size_ratio", "max_padded_size_ratio")
_PAIRS = (("min_image_height", "min_image_width"), ("max_image_height", "max_image_width"))
_NO_CONTRIB = {"autoaugment_image": "needs tf.contrib, which TensorFlow 2 does not have"}


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of each step of the training's."""
    for number, options in enumerate(config.train_config.data_augmentation_options):
        path = f"{_PATH}.{number}"
        kind = options.WhichOneof("preprocessing_step")
        if kind is None:
            yield refused(path, "is empty", "name a step in it, such as random_horizontal_flip { }, or leave it out")
        elif kind in _NO_CONTRIB:
            yield refused(f"{path}.{kind}", _NO_CONTRIB[kind], "leave it out")
        else:
            yield from _step(f"{path}.{kind}", getattr(options, kind))


def _step(path: str, step: Message) -> Iterator[Finding]:
    names = step.DESCRIPTOR.fields_by_name
    for name in _RATIOS:
        if name in names and names[name].is_repeated and len(getattr(step, name)) not in (0, 2):
            yield refused(f"{path}.{name}", f"has {len(getattr(step, name))} numbers", "must have 2, or none")
    for one, other in _PAIRS:
        if one in names and other in names and step.HasField(one) != step.HasField(other):
            missing = other if step.HasField(one) else one
            yield refused(f"{path}.{missing}", "not set", f"{one} and {other} go together")
