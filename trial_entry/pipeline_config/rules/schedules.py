"""What a learning-rate schedule must have to be one, and what of it never comes to pass in the steps that are trained.

The sources are the API's `builders/optimizer_builder.py` and `utils/learning_schedules.py`: what they raise is an error
here; a rate of 0, a warm-up that never ends, a rate that never falls are trained without a word, and a warning here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from trial_entry.errors import AssignmentError
from trial_entry.finding import Finding
from trial_entry.pipeline_config import schedules
from trial_entry.pipeline_config.field_paths import find_field, shortest
from trial_entry.pipeline_config.protos import (
    CosineDecayLearningRate,
    ExponentialDecayLearningRate,
    LearningRate,
    ManualStepLearningRate,
    ScheduleMessage,
    TrainEvalPipelineConfig,
)
from trial_entry.pipeline_config.rules.rule import noted, refused, warned

_KINDS = ", ".join(field.name for field in LearningRate.DESCRIPTOR.fields)
_NOTHING = 1e-4  # of the highest rate: what is below it moves no weight that matters
_LATE = 0.5  # of a cosine's fall: a training that ends before it ends at more than half of the rate


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of the schedule of the optimizer that is used."""
    optimizer = config.train_config.optimizer.WhichOneof("optimizer")
    if optimizer is None:
        return  # the rules of the training say so
    try:
        path, message = schedules.schedule_path(config), schedules.schedule_message(config)
    except AssignmentError:
        yield refused(f"{schedules.OPTIMIZER}.{optimizer}.learning_rate", "not set", f"it must have one of {_KINDS}")
        return
    rules = _RULES.get(message.DESCRIPTOR.name)
    if rules is not None:
        yield from rules(path, message, int(config.train_config.num_steps))
    yield from _rise(config, path)


def _rise(config: TrainEvalPipelineConfig, path: str) -> Iterator[Finding]:
    """Said, since many take the first rate for the highest, which is what an assigned learning_rate means."""
    base, highest = schedules.base_rate_path(config), schedules.learning_rate_path(config)
    if highest == base:
        return
    low, high = (shortest(find_field(config, each).value()) for each in (base, highest))
    what = f"is {low}, and the rate rises to {high} ({highest.removeprefix(path + '.')})"
    yield noted(base, what, "learning_rate assigns the highest rate, and the others keep their ratio to it")


def _cosine(path: str, message: CosineDecayLearningRate, num_steps: int) -> Iterator[Finding]:
    total, warmup, hold = message.total_steps, message.warmup_steps, message.hold_base_rate_steps
    total_said, warmup_said = _said(message, "total_steps"), _said(message, "warmup_steps")
    if warmup > total:
        yield refused(f"{path}.warmup_steps", f"is {warmup_said}, more than total_steps {total_said}")
        return
    base, warm = message.learning_rate_base, message.warmup_learning_rate
    if warmup and warm > base:
        what = f"is {_said(message, 'warmup_learning_rate')}, above learning_rate_base {shortest(base)}"
        yield refused(f"{path}.warmup_learning_rate", what, "a warm-up rises to the base rate")
    if not num_steps:
        return
    end = f"num_steps {num_steps}"
    if warmup >= num_steps:
        what = f"is {warmup_said}, and training ends at {end}: the rate never reaches learning_rate_base"
        yield warned(f"{path}.warmup_steps", what)
    elif total < num_steps:
        what = f"is {total_said} of {end}: the rate is 0 from there on, and nothing more is learned"
        yield warned(f"{path}.total_steps", what, f"total_steps: {num_steps} falls until the end")
    elif warmup + hold >= total:
        what = f"{hold} after {warmup} of warm-up leaves none of total_steps {total_said} for the rate to fall in"
        yield (
            warned(f"{path}.hold_base_rate_steps", what)
            if hold
            else warned(f"{path}.warmup_steps", f"is {warmup_said}, all of total_steps: the rate never falls")
        )
    elif (num_steps - warmup - hold) / (total - warmup - hold) < _LATE:
        yield warned(
            f"{path}.total_steps",
            f"is {total_said}, and training ends at {end}: the rate hardly falls",
            f"total_steps: {num_steps} falls until the end",
        )


def _exponential(path: str, message: ExponentialDecayLearningRate, num_steps: int) -> Iterator[Finding]:
    yield from _burnin(path, message, num_steps)
    initial, floor = message.initial_learning_rate, message.min_learning_rate
    if floor > initial:
        what = f"is {shortest(floor)}, above initial_learning_rate {shortest(initial)}: it is the rate of all steps"
        yield warned(f"{path}.min_learning_rate", what)
        return
    if not 0 < message.decay_factor < 1 or not num_steps or not initial > 0:
        return
    if message.decay_steps >= num_steps and message.staircase:
        what = f"is {_said(message, 'decay_steps')}, and training ends at num_steps {num_steps}: the rate never falls"
        yield warned(f"{path}.decay_steps", what)
    falls = math.ceil(math.log(_NOTHING) / math.log(message.decay_factor))
    gone = message.burnin_steps + falls * message.decay_steps
    if gone < num_steps / 2 and floor < _NOTHING * initial:
        factor = f"decay_factor {_said(message, 'decay_factor')} every {_said(message, 'decay_steps')} steps"
        what = f"{factor}: the rate is below {_NOTHING * initial:.3g} from step {gone} of num_steps {num_steps} on"
        yield warned(f"{path}.decay_steps", what, "a longer decay_steps, or a min_learning_rate")


def _burnin(path: str, message: ExponentialDecayLearningRate, num_steps: int) -> Iterator[Finding]:
    steps, rate, initial = message.burnin_steps, message.burnin_learning_rate, message.initial_learning_rate
    if steps and not rate:
        what = f"is 0, which the API takes for no burn-in: the {steps} burnin_steps have initial_learning_rate "
        yield warned(f"{path}.burnin_learning_rate", what + shortest(initial))
    elif rate and not steps:
        yield warned(f"{path}.burnin_learning_rate", f"is {shortest(rate)} for 0 burnin_steps: it is never used")
    elif steps and num_steps and steps >= num_steps:
        what = f"is {steps}, and training ends at num_steps {num_steps}: the rate never leaves burnin_learning_rate "
        yield warned(f"{path}.burnin_steps", what + shortest(rate))


def _manual(path: str, message: ManualStepLearningRate, num_steps: int) -> Iterator[Finding]:
    steps = [each.step for each in message.schedule]
    if not steps:
        yield refused(f"{path}.schedule", "is empty", "a rate that never changes is constant_learning_rate")
        return
    if not schedules.is_rising(steps):
        before = [0, *steps]
        number = next(place for place, step in enumerate(steps) if step <= before[place])
        after = f"not above {before[number]}, the one before" if number else "the first must be at least 1"
        yield refused(f"{path}.schedule.{number}.step", f"is {steps[number]}, {after}", "steps must rise")
        return
    beyond = [number for number, step in enumerate(steps) if step >= num_steps]
    if num_steps and beyond:
        first = beyond[0]
        what = f"is {steps[first]}, and training ends at num_steps {num_steps}: it is never reached"
        yield warned(f"{path}.schedule.{first}.step", what)
    ends = [*steps, num_steps]
    rates = [("initial_learning_rate", message.initial_learning_rate)]
    rates += [(f"schedule.{number}.learning_rate", each.learning_rate) for number, each in enumerate(message.schedule)]
    if not any(rate for _, rate in rates):
        yield refused(f"{path}.initial_learning_rate", "is 0, and so is every other rate of the schedule")
        return
    for number, (name, rate) in enumerate(rates):
        begin = ends[number - 1] if number else 0
        rising = message.warmup and not number and len(rates) > 1
        if not rate and not rising and begin < num_steps:
            until = min(ends[number], num_steps)
            yield warned(f"{path}.{name}", f"is 0: steps {begin} to {until} of num_steps {num_steps} train nothing")


def _said(message: ScheduleMessage, name: str) -> str:
    """A field's value, and whether it is only the proto's."""
    value = getattr(message, name)
    text = shortest(value) if isinstance(value, float) else str(value)
    return text if message.HasField(name) else f"{text} (the default)"


_RULES: dict[str, Callable[[str, ScheduleMessage, int], Iterator[Finding]]] = {
    "CosineDecayLearningRate": _cosine,
    "ExponentialDecayLearningRate": _exponential,
    "ManualStepLearningRate": _manual,
}
