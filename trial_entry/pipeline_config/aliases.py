"""Short names that mean the same in every config: `learning_rate`, whatever schedule it uses.

An alias resolves to fields of the config in hand; what is coupled to them moves along.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config import schedules
from trial_entry.pipeline_config.field_paths import find_field, shortest
from trial_entry.pipeline_config.protos import CheckpointVersion, TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import nearest

CountExamples = Callable[[TrainEvalPipelineConfig], int]
NUM_STEPS = "train_config.num_steps"
FINE_TUNE_CHECKPOINT = "train_config.fine_tune_checkpoint"
NO_CHECKPOINT = "none"


@dataclass(frozen=True)
class Alias:
    """One short name.

    Attributes:
        name: as it stands before the `=` of an assignment.
        meaning: one line for people.
        field: the path of the field that it sets in a given config; raises AssignmentError where it has none.
        assign: sets it, coupled fields included.
        current: the value that the config has now, as an assignment would write it, or None if it has none.
    """

    name: str
    meaning: str
    field: Callable[[TrainEvalPipelineConfig], str]
    assign: Callable[[TrainEvalPipelineConfig, str, CountExamples], None]
    current: Callable[[TrainEvalPipelineConfig], str | None]


def _plain(name: str, meaning: str, field: Callable[[TrainEvalPipelineConfig], str]) -> Alias:
    """An alias of exactly one field, nothing coupled."""

    def assign(config: TrainEvalPipelineConfig, value: str, count: CountExamples) -> None:
        find_field(config, field(config)).set(value)

    return Alias(name, meaning, field, assign, lambda config: find_field(config, field(config)).text())


def _assign_learning_rate(config: TrainEvalPipelineConfig, value: str, count: CountExamples) -> None:
    field = find_field(config, schedules.learning_rate_path(config))
    before = field.value()
    field.set(value)
    if before > 0:
        schedules.scale_coupled_rates(config, float(value) / before)


def _assign_num_steps(config: TrainEvalPipelineConfig, value: str, count: CountExamples) -> None:
    trial = TrainEvalPipelineConfig()  # read the value by the field's own rules before anything is changed
    find_field(trial, NUM_STEPS).set(value)
    schedules.set_num_steps(config, trial.train_config.num_steps)


def _assign_epochs(config: TrainEvalPipelineConfig, value: str, count: CountExamples) -> None:
    try:
        epochs = float(value)
    except ValueError:
        raise AssignmentError(f'epochs: "{value}" is no number') from None
    if not (math.isfinite(epochs) and epochs > 0):
        raise AssignmentError(f"epochs: {value} is out of range; it must be above 0")
    examples = count(config)
    schedules.set_num_steps(config, max(1, math.ceil(epochs * examples / config.train_config.batch_size)))


def _assign_checkpoint(config: TrainEvalPipelineConfig, value: str, count: CountExamples) -> None:
    train = config.train_config
    if value == NO_CHECKPOINT:
        train.ClearField("fine_tune_checkpoint")
        return
    if not value:
        raise AssignmentError(f"fine_tune_checkpoint: empty; give a checkpoint's prefix, or {NO_CHECKPOINT}")
    train.fine_tune_checkpoint = value
    train.fine_tune_checkpoint_version = CheckpointVersion.V2  # the only one that a TF2 model restores
    if not train.fine_tune_checkpoint_type:
        train.fine_tune_checkpoint_type = "detection"


def _nms_path(config: TrainEvalPipelineConfig) -> str:
    meta_architecture = config.model.WhichOneof("model")
    if meta_architecture == "ssd":
        return "model.ssd.post_processing.batch_non_max_suppression.iou_threshold"
    if meta_architecture == "faster_rcnn":
        return "model.faster_rcnn.second_stage_post_processing.batch_non_max_suppression.iou_threshold"
    raise AssignmentError(
        f"nms_iou_threshold: a {meta_architecture or 'config without a model'} has no box suppression; "
        "only ssd and faster_rcnn have"
    )


def _current_num_steps(config: TrainEvalPipelineConfig) -> str | None:
    return str(config.train_config.num_steps) if config.train_config.num_steps else None


ALIASES: dict[str, Alias] = {
    alias.name: alias
    for alias in (
        Alias(
            "learning_rate",
            "base rate of whatever schedule the optimizer uses; warm-up scales along",
            schedules.learning_rate_path,
            _assign_learning_rate,
            lambda config: shortest(find_field(config, schedules.learning_rate_path(config)).value()),
        ),
        _plain(
            "batch_size",
            "images a training step, over all GPUs together (evaluation keeps its own)",
            lambda config: "train_config.batch_size",
        ),
        Alias(
            "num_steps",
            "training steps; schedule and warm-up move along",
            lambda config: NUM_STEPS,
            _assign_num_steps,
            _current_num_steps,
        ),
        Alias(
            "epochs",
            "passes over the training examples: num_steps from their number and the batch size",
            lambda config: NUM_STEPS,
            _assign_epochs,
            lambda config: None,
        ),
        _plain("nms_iou_threshold", "IoU above which the lower-scored of two boxes is dropped", _nms_path),
        Alias(
            "fine_tune_checkpoint",
            f"checkpoint to start from, or {NO_CHECKPOINT}",
            lambda config: FINE_TUNE_CHECKPOINT,
            _assign_checkpoint,
            lambda config: config.train_config.fine_tune_checkpoint or None,
        ),
    )
}


def is_alias(name: str) -> bool:
    """Whether `name` is an alias; refuses a name without a dot that is none, naming the nearest.

    Raises:
        AssignmentError: neither an alias nor the beginning of a field path.
    """
    if name in ALIASES:
        return True
    top = [field.name for field in TrainEvalPipelineConfig.DESCRIPTOR.fields]
    if name.split(".")[0] not in top:
        raise AssignmentError(f"{name}: neither an alias nor a field path; {nearest(name, [*ALIASES, *top])}")
    return False


def field_of(config: TrainEvalPipelineConfig, name: str) -> str:
    """The path of the field that `name` (alias or field path) sets in `config`."""
    return ALIASES[name].field(config) if is_alias(name) else find_field(config, name).path


def current_value(config: TrainEvalPipelineConfig, name: str) -> str | None:
    """What `config` has for `name` now, as an assignment would write it; None where it has no value."""
    return ALIASES[name].current(config) if is_alias(name) else find_field(config, name).text()
