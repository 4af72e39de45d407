"""Aliases of `train_config`: rate, length, batch, optimizer, checkpoint."""

from __future__ import annotations

import math

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config import schedules
from trial_entry.pipeline_config.aliases.alias import Alias, Feasible, Surroundings, between, choices, numbers, plain
from trial_entry.pipeline_config.aliases.alias import whole as whole_range
from trial_entry.pipeline_config.field_paths import find_field, shortest
from trial_entry.pipeline_config.protos import CheckpointVersion, TrainEvalPipelineConfig

NUM_STEPS = "train_config.num_steps"
FINE_TUNE_CHECKPOINT = "train_config.fine_tune_checkpoint"
NO_CHECKPOINT = "none"
_SUFFIX = "_optimizer"
_OPTIMIZERS = ("momentum", "adam", "rms_prop")
_MOMENTUM = "momentum_optimizer_value"


def _assign_learning_rate(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    field = find_field(config, schedules.learning_rate_path(config))
    before = field.value()
    field.set(value)
    wanted = field.value()
    if before > 0:
        setattr(field.parent, field.descriptor.name, before)
        schedules.scale_rates(config, wanted / before)
        setattr(field.parent, field.descriptor.name, wanted)  # to every digit, which a product may not have


def _current_learning_rate(config: TrainEvalPipelineConfig) -> str:
    return shortest(find_field(config, schedules.learning_rate_path(config)).value())


def _feasible_learning_rate(config: TrainEvalPipelineConfig) -> Feasible:
    rate = float(_current_learning_rate(config)) or 1e-3
    return between(rate / 10, rate * 3, log=True)


def _feasible_batch_size(config: TrainEvalPipelineConfig) -> Feasible:
    nearest = 2 ** round(math.log2(max(1, config.train_config.batch_size)))
    return numbers(*sorted({max(1, nearest // 4), max(1, nearest // 2), nearest, nearest * 2}))


def _assign_num_steps(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    trial = TrainEvalPipelineConfig()  # read the value by the field's own rules before anything is changed
    find_field(trial, NUM_STEPS).set(value)
    schedules.set_num_steps(config, trial.train_config.num_steps)


def _current_num_steps(config: TrainEvalPipelineConfig) -> str | None:
    return str(config.train_config.num_steps) if config.train_config.num_steps else None


def _feasible_num_steps(config: TrainEvalPipelineConfig) -> Feasible | None:
    steps = config.train_config.num_steps
    return whole_range(max(1, steps // 2), steps * 2) if steps else None


def _assign_epochs(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    epochs = _number("epochs", value)
    if epochs <= 0:
        raise AssignmentError(f"epochs: {value} is out of range; it must be above 0")
    examples = surroundings.count_examples(config)
    schedules.set_num_steps(config, max(1, math.ceil(epochs * examples / config.train_config.batch_size)))


def _assign_warmup(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    share = _number("warmup_fraction", value)
    if not 0 <= share < 1:
        raise AssignmentError(f"warmup_fraction: {value} is out of range; it must be from 0 to below 1")
    schedules.set_warmup_fraction(config, share)


def _current_warmup(config: TrainEvalPipelineConfig) -> str | None:
    share = schedules.warmup_fraction(config)
    return None if share is None else shortest(share)


def _momentum_path(config: TrainEvalPipelineConfig) -> str:
    used = schedules.used_optimizer(config)
    if used == "adam_optimizer":
        raise AssignmentError(
            f"momentum: {schedules.OPTIMIZER} is adam_optimizer, whose momentum is fixed; it has epsilon, and "
            "momentum_optimizer and rms_prop_optimizer have momentum"
        )
    return f"{schedules.OPTIMIZER}.{used}.{_MOMENTUM}"


def _optimizer_path(config: TrainEvalPipelineConfig) -> str:
    schedules.used_optimizer(config)
    return schedules.OPTIMIZER


def _assign_optimizer(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    """Swap the optimizer; the learning-rate schedule goes along, and the momentum where both have one."""
    short = value.removesuffix(_SUFFIX)
    if short not in _OPTIMIZERS:
        raise AssignmentError(f'optimizer: "{value}" is none of {", ".join(_OPTIMIZERS)}')
    used = schedules.used_optimizer(config)
    if used == short + _SUFFIX:
        return
    optimizer = config.train_config.optimizer
    before = type(getattr(optimizer, used))()
    before.CopyFrom(getattr(optimizer, used))
    after = getattr(optimizer, short + _SUFFIX)
    after.learning_rate.CopyFrom(before.learning_rate)  # setting the one member of the oneof clears the other
    if hasattr(after, "decay"):
        after.decay = (
            0  # by its default TensorFlow 2 divides the rate by 1 + 0.9 x the step, whatever the schedule says
        )
    if hasattr(before, _MOMENTUM) and hasattr(after, _MOMENTUM):
        setattr(after, _MOMENTUM, getattr(before, _MOMENTUM))


def _assign_checkpoint(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
    set_checkpoint(config, value)


def set_checkpoint(config: TrainEvalPipelineConfig, prefix: str) -> None:
    """Start from the checkpoint `prefix`, or, where it is `none`, from random weights."""
    train = config.train_config
    if prefix == NO_CHECKPOINT:
        train.ClearField("fine_tune_checkpoint")
        return
    if not prefix:
        raise AssignmentError(f"fine_tune_checkpoint: empty; give a checkpoint's prefix, or {NO_CHECKPOINT}")
    train.fine_tune_checkpoint = prefix
    train.fine_tune_checkpoint_version = CheckpointVersion.V2  # the only one that a TF2 model restores
    if not train.fine_tune_checkpoint_type:
        train.fine_tune_checkpoint_type = "detection"


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AssignmentError(f'{name}: "{text}" is no number')
    return value


TRAINING = (
    Alias(
        "learning_rate",
        "highest rate of whatever schedule the optimizer uses; all of its rates keep their ratio",
        schedules.learning_rate_path,
        _assign_learning_rate,
        _current_learning_rate,
        _feasible_learning_rate,
    ),
    plain(
        "batch_size",
        "images a training step, over all GPUs together (evaluation keeps its own)",
        lambda config: "train_config.batch_size",
        _feasible_batch_size,
    ),
    Alias(
        "num_steps",
        "training steps; schedule and warm-up move along",
        lambda config: NUM_STEPS,
        _assign_num_steps,
        _current_num_steps,
        _feasible_num_steps,
    ),
    Alias(
        "epochs",
        "passes over the training examples: num_steps from their number and the batch size",
        lambda config: NUM_STEPS,
        _assign_epochs,
        lambda config: None,
        lambda config: None,
    ),
    Alias(
        "warmup_fraction",
        "share of the steps in which the rate rises to its base",
        schedules.warmup_path,
        _assign_warmup,
        _current_warmup,
        lambda config: between(0.0, 0.2),
    ),
    Alias(
        "optimizer",
        "momentum, adam or rms_prop; the learning-rate schedule goes along",
        _optimizer_path,
        _assign_optimizer,
        lambda config: schedules.used_optimizer(config).removesuffix(_SUFFIX),
        lambda config: choices(*_OPTIMIZERS),
    ),
    plain("momentum", "of the momentum or rms_prop optimizer", _momentum_path, lambda config: between(0.8, 0.99)),
    plain(
        "gradient_clipping",
        "norm that each variable's gradient is cut to; 0 cuts nothing",
        lambda config: "train_config.gradient_clipping_by_norm",
        lambda config: numbers(0, 1, 10),
    ),
    plain(
        "bfloat16",
        "compute in bfloat16, weights stay float32; boxtune speed says whether it is faster on a device",
        lambda config: "train_config.use_bfloat16",
        lambda config: choices("false", "true"),
    ),
    Alias(
        "fine_tune_checkpoint",
        f"checkpoint to start from, or {NO_CHECKPOINT}",
        lambda config: FINE_TUNE_CHECKPOINT,
        _assign_checkpoint,
        lambda config: config.train_config.fine_tune_checkpoint or None,
        lambda config: None,
    ),
)
