"""The number of classes of a config's model."""

from __future__ import annotations

from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig


def classes_path(config: TrainEvalPipelineConfig) -> str:
    """The path of the field that has it."""
    return f"model.{config.model.WhichOneof('model')}.num_classes"


def num_classes(config: TrainEvalPipelineConfig) -> int:
    """The number of classes of the config's model, whichever meta-architecture it is."""
    return int(getattr(config.model, config.model.WhichOneof("model")).num_classes)
