"""What an image resizer must say to be one.

The sources are the API's `builders/image_resizer_builder.py` and `utils/config_util.get_spatial_image_size`, which
batches are padded by, and which knows no pad_to_multiple_resizer.
"""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import model_of, refused


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of `image_resizer`; that there is one, and of which kind, is for the rules of blocks to say."""
    path, model = model_of(config)
    resizer = model.image_resizer if model is not None else None
    kind = resizer.WhichOneof("image_resizer_oneof") if resizer is not None else None
    if kind is None:
        return
    path, resizer = f"{path}.image_resizer.{kind}", getattr(resizer, kind)
    if config.model.WhichOneof("model") == "ssd" and getattr(resizer, "convert_to_grayscale", False):
        yield refused(
            f"{path}.convert_to_grayscale", "the feature extractors take images of three colours", "leave it out"
        )
    if kind == "keep_aspect_ratio_resizer" and resizer.min_dimension > resizer.max_dimension:
        what = f"is {resizer.min_dimension}, above max_dimension {resizer.max_dimension}"
        yield refused(f"{path}.min_dimension", what)
    if kind == "keep_aspect_ratio_resizer" and resizer.pad_to_max_dimension:
        colours = len(resizer.per_channel_pad_value)
        if colours not in (0, 3):
            yield refused(f"{path}.per_channel_pad_value", f"has {colours} numbers", "must have 3, one a colour")
