"""`augmentation.NAME`: one of the API's augmentation steps, on or off."""

from __future__ import annotations

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config import image_size
from trial_entry.pipeline_config.aliases.alias import Alias, Feasible, Surroundings, choices
from trial_entry.pipeline_config.protos import PreprocessingStep, TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import nearest
from trial_entry.pipeline_config.values import BOOLEANS

PREFIX = "augmentation."
ON, OFF = "on", "off"
_STEPS = "train_config.data_augmentation_options"
_NOT_RANDOM = ("adjust_gamma", "rgb_to_gray")  # the others that change what an image looks like begin with "random"
_BROKEN = {"autoaugment_image": "needs tf.contrib, which TensorFlow 2 does not have"}
_SQUARE_CROP = "random_scale_crop_and_pad_to_square"


def augmentation_names() -> list[str]:
    """The steps that can be switched, in the API's order."""
    names = [field.name for field in PreprocessingStep.DESCRIPTOR.fields]
    return [name for name in names if "random" in name or name in _NOT_RANDOM]


def augmentation(name: str) -> Alias:
    """The alias of the step `name`.

    Raises:
        AssignmentError: the API has no such step, or it does not work.
    """
    if name in _BROKEN:
        raise AssignmentError(f"{PREFIX}{name}: {_BROKEN[name]}")
    if name not in augmentation_names():
        raise AssignmentError(f"{PREFIX}{name}: there is no such augmentation; {nearest(name, augmentation_names())}")

    def assign(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
        if value.lower() not in BOOLEANS:
            raise AssignmentError(f'{PREFIX}{name}: "{value}" is neither on nor off')
        wanted = BOOLEANS[value.lower()]
        if wanted and not _is_on(config, name):
            _add(config, name)
        elif not wanted:
            steps = config.train_config.data_augmentation_options
            kept = [step for step in steps if step.WhichOneof("preprocessing_step") != name]
            del steps[:]
            steps.extend(kept)

    def feasible(config: TrainEvalPipelineConfig) -> Feasible:
        return choices(ON, OFF)

    return Alias(
        f"{PREFIX}{name}",
        f"the augmentation {name}: off, or on (with the API's defaults, or as the config has it)",
        lambda config: f"{_STEPS}.{name}",
        assign,
        lambda config: ON if _is_on(config, name) else OFF,
        feasible,
    )


def _is_on(config: TrainEvalPipelineConfig, name: str) -> bool:
    return any(step.WhichOneof("preprocessing_step") == name for step in config.train_config.data_augmentation_options)


def _add(config: TrainEvalPipelineConfig, name: str) -> None:
    step = config.train_config.data_augmentation_options.add()
    getattr(step, name).SetInParent()
    edges = image_size.edges(config)
    if name == _SQUARE_CROP and edges:
        step.random_scale_crop_and_pad_to_square.output_size = max(edges)
