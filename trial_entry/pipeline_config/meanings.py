"""Which values a field can mean something with: an IoU lies in [0, 1], a learning rate is positive."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

from google.protobuf.descriptor import FieldDescriptor


@dataclass(frozen=True)
class Range:
    """An interval of finite numbers; `open_low`/`open_high` leave the end itself out."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"{'above' if self.open_low else 'at least'} {self.low:g}"
        return (
            f"{'above' if self.open_low else 'from'} {self.low:g} to {'below ' if self.open_high else ''}{self.high:g}"
        )


POSITIVE = Range(0, open_low=True)
NOT_NEGATIVE = Range(0)
AT_LEAST_ONE = Range(1)
UNIT = Range(0, 1)

# Matched against "Message.field", the first match decides. The names are those of the API's .proto files.
_RANGES: tuple[tuple[re.Pattern[str], Range], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"\w+\.(warmup_learning_rate|burnin_learning_rate|min_learning_rate)", NOT_NEGATIVE),
        (r"LearningRateSchedule\.learning_rate|ManualStepLearningRate\.initial_learning_rate", NOT_NEGATIVE),
        (r"\w+\.(learning_rate|initial_learning_rate|learning_rate_base)", POSITIVE),
        (r"ExponentialDecayLearningRate\.decay_factor", Range(0, 1, open_low=True)),
        (r"\w+\.(total_steps|decay_steps)", AT_LEAST_ONE),
        (r"TrainConfig\.(batch_size|num_steps)|EvalConfig\.batch_size", AT_LEAST_ONE),
        (r"\w+Optimizer\.momentum_optimizer_value", Range(0, 1, open_high=True)),
        (r"(RMSPropOptimizer|BatchNorm)\.decay|Optimizer\.moving_average_decay", UNIT),
        (r"\w+\.\w*(iou|score|matched|unmatched)_threshold", UNIT),
        (r"\w+\.dropout_keep_probability", Range(0, 1, open_low=True)),
        (r"\w+\.\w*(probability|_fraction)", UNIT),
        (r"\w+\.(min_object_covered|overlap_thresh|random_coef)", UNIT),
        (r"SigmoidFocalClassificationLoss\.alpha", UNIT),
        (r"\w+BoxCoder\.\w+_scale", POSITIVE),
        (r"\w+\.gamma", NOT_NEGATIVE),
        (r"\w+\.\w*weight", NOT_NEGATIVE),
        (r"\w+\.(epsilon|stddev|depth_multiplier|anchor_scale|scales|aspect_ratios|min_scale|max_scale)", POSITIVE),
        (r"\w+\.(max_detections_per_class|max_total_detections|first_stage_max_proposals)", AT_LEAST_ONE),
        (r"\w+\.(second_stage_batch_size|first_stage_minibatch_size|num_classes|scales_per_octave)", AT_LEAST_ONE),
        (r"\w+Resizer\.(height|width|min_dimension|max_dimension)", AT_LEAST_ONE),
        (r"TrainConfig\.gradient_clipping_by_norm", NOT_NEGATIVE),
        (r"\w+BoxPredictor\.kernel_size", AT_LEAST_ONE),
        (r"InputReader\.(num_readers|read_block_length|max_number_of_boxes)", AT_LEAST_ONE),
    )
)


def range_of(field: FieldDescriptor) -> Range | None:
    """The range of a protobuf field descriptor's values, or None where anything of its type may be meant."""
    assert field.containing_type is not None  # no extension
    return _range_of(f"{field.containing_type.name}.{field.name}")


@cache  # every set field of a config is looked up, for each assignment that is tried
def _range_of(name: str) -> Range | None:
    return next((meaning for pattern, meaning in _RANGES if pattern.fullmatch(name)), None)
