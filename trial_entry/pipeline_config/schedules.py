"""Learning-rate schedules: scaling their height (learning_rate) and their length (num_steps).

The four schedules are those of the API's `optimizer.proto`. Scaling keeps a schedule's shape: a warm-up that
starts at a third of the base rate still does, and ends after the same share of the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

OPTIMIZER = "train_config.optimizer"
_BASE_RATE = {
    "constant_learning_rate": "learning_rate",
    "exponential_decay_learning_rate": "initial_learning_rate",
    "manual_step_learning_rate": "initial_learning_rate",
    "cosine_decay_learning_rate": "learning_rate_base",
}
_COUPLED_RATES = ("warmup_learning_rate", "burnin_learning_rate", "min_learning_rate")
_WARMUP = {"cosine_decay_learning_rate": "warmup_steps", "exponential_decay_learning_rate": "burnin_steps"}
_LENGTHS = ("total_steps", "warmup_steps", "hold_base_rate_steps", "decay_steps", "burnin_steps")


def learning_rate_path(config: TrainEvalPipelineConfig) -> str:
    """The field path of the schedule's base rate.

    Raises:
        AssignmentError: the config has no optimizer, or its optimizer no schedule.
    """
    optimizer, schedule = _used(config)
    return f"{OPTIMIZER}.{optimizer}.learning_rate.{schedule}.{_BASE_RATE[schedule]}"


def scale_coupled_rates(config: TrainEvalPipelineConfig, ratio: float) -> None:
    """Scale what belongs to the base rate: warm-up and burn-in, the steps of a manual schedule, the floor.

    Values that stand only as the proto's default are made explicit, since the default would not move along.
    """
    message = _schedule(config)
    for name in _COUPLED_RATES:
        if name in message.DESCRIPTOR.fields_by_name:
            setattr(message, name, getattr(message, name) * ratio)
    for step in getattr(message, "schedule", ()):
        step.learning_rate *= ratio


def set_num_steps(config: TrainEvalPipelineConfig, num_steps: int) -> None:
    """Train for `num_steps` (at least 1) and stretch or compress the schedule with it.

    What counts as the old length is `train_config.num_steps`, and where that is not set, the cosine's end.
    Lengths keep their share of it, rounded; a cosine keeps at least one step after warm-up and hold, since
    the API divides by what is left.
    """
    old = config.train_config.num_steps
    config.train_config.num_steps = num_steps
    message = _schedule(config) if config.train_config.optimizer.WhichOneof("optimizer") else None
    if message is None:
        return
    old = old or getattr(message, "total_steps", 0)
    if not old:
        return
    scale: Callable[[int], int] = lambda steps: round(steps * num_steps / old)  # noqa: E731
    for name in _LENGTHS:
        if name in message.DESCRIPTOR.fields_by_name:
            setattr(message, name, scale(getattr(message, name)))
    for step in getattr(message, "schedule", ()):
        step.step = scale(step.step)
    if "decay_steps" in message.DESCRIPTOR.fields_by_name:
        message.decay_steps = max(1, message.decay_steps)
    if "total_steps" in message.DESCRIPTOR.fields_by_name:
        message.total_steps = max(1, message.total_steps)
        message.warmup_steps = min(message.warmup_steps, message.total_steps - 1)
        message.hold_base_rate_steps = min(message.hold_base_rate_steps, message.total_steps - 1 - message.warmup_steps)


def warmup_path(config: TrainEvalPipelineConfig) -> str:
    """The field path of the number of steps in which the rate rises.

    Raises:
        AssignmentError: the schedule has no warm-up of any length.
    """
    optimizer, schedule = _used(config)
    name = _WARMUP.get(schedule)
    if name is None:
        raise AssignmentError(f"warmup_fraction: {schedule} has no warm-up; {' and '.join(_WARMUP)} have")
    return f"{OPTIMIZER}.{optimizer}.learning_rate.{schedule}.{name}"


def warmup_fraction(config: TrainEvalPipelineConfig) -> float | None:
    """The warm-up's share of all steps, or None where the config has no number of steps."""
    steps = getattr(_schedule(config), warmup_path(config).rpartition(".")[2])
    length = _length(config)
    return steps / length if length else None


def set_warmup_fraction(config: TrainEvalPipelineConfig, share: float) -> None:
    """Let the rate rise for `share` (from 0 to below 1) of all steps; a later set_num_steps keeps the share.

    Raises:
        AssignmentError: no steps to take a share of, or none left after the warm-up.
    """
    name = warmup_path(config).rpartition(".")[2]
    length, message = _length(config), _schedule(config)
    if not length:
        raise AssignmentError("warmup_fraction: train_config.num_steps is not set; assign num_steps too")
    steps = round(share * length)
    if steps + getattr(message, "hold_base_rate_steps", 0) >= length:
        raise AssignmentError(f"warmup_fraction: {share:g} of {length} steps leaves none after warm-up and hold")
    setattr(message, name, steps)


def _length(config: TrainEvalPipelineConfig) -> int:
    """Of the schedule where it has one, else of the training."""
    return int(getattr(_schedule(config), "total_steps", 0) or config.train_config.num_steps)


def used_optimizer(config: TrainEvalPipelineConfig) -> str:
    """The name of the optimizer's message, such as `adam_optimizer`.

    Raises:
        AssignmentError: the config has none.
    """
    optimizer: str | None = config.train_config.optimizer.WhichOneof("optimizer")
    if optimizer is None:
        raise AssignmentError(f"the config has no {OPTIMIZER}")
    return optimizer


def _used(config: TrainEvalPipelineConfig) -> tuple[str, str]:
    optimizer = used_optimizer(config)
    schedule = getattr(config.train_config.optimizer, optimizer).learning_rate.WhichOneof("learning_rate")
    if schedule is None:
        raise AssignmentError(f"learning_rate: {OPTIMIZER}.{optimizer} has no learning_rate schedule")
    return optimizer, schedule


def _schedule(config: TrainEvalPipelineConfig) -> Any:
    optimizer, schedule = _used(config)
    return getattr(getattr(config.train_config.optimizer, optimizer).learning_rate, schedule)
