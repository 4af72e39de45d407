"""What a model must have to be built, as far as can be seen without building it."""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config import image_size
from trial_entry.pipeline_config.classes import num_classes
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import ARCHITECTURES, refused


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """The meta-architecture, its number of classes, its image size."""
    used = config.model.WhichOneof("model")
    if used not in ARCHITECTURES:
        yield refused("model", used or "not set", f"it must be one of {', '.join(ARCHITECTURES)}")
    elif num_classes(config) < 1:
        yield refused(f"model.{used}.num_classes", "must be at least 1")
    elif (misfit := image_size.misfit(config)) is not None:
        yield refused(image_size.size_path(config), misfit)
