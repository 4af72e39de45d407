"""Learning-rate schedules: scaling their height (learning_rate) and their length (num_steps).

The four schedules are those of the API's `optimizer.proto`. Scaling keeps a schedule's shape: a warm-up that
starts at a third of the highest rate still does, and ends after the same share of the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.protos import ScheduleMessage, TrainEvalPipelineConfig

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
    """The field path of the schedule's highest rate: the base rate, unless the schedule rises above it.

    Raises:
        AssignmentError: the config has no optimizer, or its optimizer no schedule.
    """
    return f"{schedule_path(config)}.{max(_plateaus(config), key=lambda each: each[1])[0]}"


def base_rate_path(config: TrainEvalPipelineConfig) -> str:
    """The field path of the rate that the schedule calls its base, or its initial one.

    Raises:
        AssignmentError: as `learning_rate_path`.
    """
    return f"{schedule_path(config)}.{_BASE_RATE[_used(config)[1]]}"


def scale_rates(config: TrainEvalPipelineConfig, ratio: float) -> None:
    """Scale every rate of the schedule: base, warm-up and burn-in, the steps of a manual schedule, the floor.

    Values that stand only as the proto's default are made explicit, since the default would not move along.
    """
    message = schedule_message(config)
    for name in (_BASE_RATE[_used(config)[1]], *_COUPLED_RATES):
        if name in message.DESCRIPTOR.fields_by_name:
            setattr(message, name, getattr(message, name) * ratio)
    for step in getattr(message, "schedule", ()):
        step.learning_rate *= ratio


def _plateaus(config: TrainEvalPipelineConfig) -> Iterator[tuple[str, float]]:
    """The rates that the schedule keeps or falls from, by their fields; the base rate first.

    A cosine's warm-up is not among them: the API refuses one that starts above the base rate.
    """
    kind, message = _used(config)[1], schedule_message(config)
    yield _BASE_RATE[kind], getattr(message, _BASE_RATE[kind])
    if getattr(message, "burnin_steps", 0):
        yield "burnin_learning_rate", message.burnin_learning_rate
    for number, step in enumerate(getattr(message, "schedule", ())):
        yield f"schedule.{number}.learning_rate", step.learning_rate


def set_num_steps(config: TrainEvalPipelineConfig, num_steps: int) -> None:
    """Train for `num_steps` (at least 1) and stretch or compress the schedule with it.

    What counts as the old length is `train_config.num_steps`, and where that is not set, the cosine's end.
    Lengths keep their share of it, rounded; a cosine keeps at least one step after warm-up and hold, since
    the API divides by what is left.
    """
    old = config.train_config.num_steps
    config.train_config.num_steps = num_steps
    message = schedule_message(config) if config.train_config.optimizer.WhichOneof("optimizer") else None
    if message is None:
        return
    old = old or getattr(message, "total_steps", 0)
    if not old:
        return
    scale: Callable[[int], int] = lambda steps: round(steps * num_steps / old)  # noqa: E731
    was_whole, rose = _cosine_rest(message) >= 1, is_rising([step.step for step in getattr(message, "schedule", ())])
    for name in _LENGTHS:
        if name in message.DESCRIPTOR.fields_by_name:
            setattr(message, name, scale(getattr(message, name)))
    before = 0
    for step in getattr(message, "schedule", ()):
        # Rounded, two may fall on one step, which the API refuses; what contradicted itself before is left to be seen.
        before = step.step = max(before + 1, scale(step.step)) if rose else scale(step.step)
    if "decay_steps" in message.DESCRIPTOR.fields_by_name:
        message.decay_steps = max(1, message.decay_steps)
    if "total_steps" in message.DESCRIPTOR.fields_by_name:
        message.total_steps = max(1, message.total_steps)
    if was_whole and _cosine_rest(message) < 1:
        message.warmup_steps = min(message.warmup_steps, message.total_steps - 1)
        message.hold_base_rate_steps = min(message.hold_base_rate_steps, message.total_steps - 1 - message.warmup_steps)


def is_rising(steps: list[int]) -> bool:
    """Whether these can be the steps of a manual schedule: from 1 on, each above the one before."""
    return all(later > earlier for earlier, later in pairwise([0, *steps]))


def _cosine_rest(message: ScheduleMessage) -> int:
    """How many steps are left to a cosine after warm-up and hold; 1 where the schedule is none."""
    if "total_steps" not in message.DESCRIPTOR.fields_by_name:
        return 1
    return int(message.total_steps - message.warmup_steps - message.hold_base_rate_steps)


def warmup_path(config: TrainEvalPipelineConfig) -> str:
    """The field path of the number of steps in which the rate rises.

    Raises:
        AssignmentError: the schedule has no warm-up of any length.
    """
    schedule = _used(config)[1]
    name = _WARMUP.get(schedule)
    if name is None:
        raise AssignmentError(f"warmup_fraction: {schedule} has no warm-up; {' and '.join(_WARMUP)} have")
    return f"{schedule_path(config)}.{name}"


def warmup_fraction(config: TrainEvalPipelineConfig) -> float | None:
    """The warm-up's share of all steps, or None where the config has no number of steps."""
    steps = getattr(schedule_message(config), warmup_path(config).rpartition(".")[2])
    length = _length(config)
    return steps / length if length else None


def set_warmup_fraction(config: TrainEvalPipelineConfig, share: float) -> None:
    """Let the rate rise for `share` (from 0 to below 1) of all steps; a later set_num_steps keeps the share.

    Raises:
        AssignmentError: no steps to take a share of, or none left after the warm-up.
    """
    name = warmup_path(config).rpartition(".")[2]
    length, message = _length(config), schedule_message(config)
    if not length:
        raise AssignmentError("warmup_fraction: train_config.num_steps is not set; assign num_steps too")
    steps = round(share * length)
    if steps + getattr(message, "hold_base_rate_steps", 0) >= length:
        raise AssignmentError(f"warmup_fraction: {share:g} of {length} steps leaves none after warm-up and hold")
    setattr(message, name, steps)


def _length(config: TrainEvalPipelineConfig) -> int:
    """Of the schedule where it has one, else of the training."""
    return int(getattr(schedule_message(config), "total_steps", 0) or config.train_config.num_steps)


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


def schedule_path(config: TrainEvalPipelineConfig) -> str:
    """The path of the schedule's message.

    Raises:
        AssignmentError: the config has no optimizer, or its optimizer no schedule.
    """
    optimizer, schedule = _used(config)
    return f"{OPTIMIZER}.{optimizer}.learning_rate.{schedule}"


def schedule_message(config: TrainEvalPipelineConfig) -> ScheduleMessage:
    """The schedule's message, of whichever kind it is.

    Raises:
        AssignmentError: as `schedule_path`.
    """
    optimizer, schedule = _used(config)
    return getattr(getattr(config.train_config.optimizer, optimizer).learning_rate, schedule)
