"""The moving averages of the weights, in the weights' place while they are measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trial_entry.detection.model import BuiltModel
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig


@contextmanager
def measured_weights(built: BuiltModel, config: TrainEvalPipelineConfig) -> Iterator[None]:
    """The averages where `eval_config.use_moving_averages` asks for them, as the stock evaluation has it.

    Copied rather than swapped: the optimizer's own `swap_weights` adds and subtracts, and training would go on from
    rounded weights.
    """
    import tensorflow as tf

    if not config.eval_config.use_moving_averages:
        yield
        return
    weights, averages = built.optimizer._model_weights, built.optimizer._average_weights
    plain = [tf.identity(weight) for weight in weights]
    for weight, average in zip(weights, averages, strict=True):
        weight.assign(average)
    try:
        yield
    finally:
        for weight, value in zip(weights, plain, strict=True):
            weight.assign(value)
