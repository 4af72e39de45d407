"""The training loop: the API's own training step, one call a step, checkpoints and evaluations between."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trial_entry.detection.evaluation import reading_error
from trial_entry.detection.model import BuiltModel
from trial_entry.detection.runtime import autograph, input_needs_autograph, without_autotune, without_grappler
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

_LOG = logging.getLogger(__name__)
_WARM_UP = 2  # steps that a rate leaves out: the first is traced, the second allocates


@dataclass(frozen=True)
class StepResult:
    """One finished step.

    Attributes:
        step: its number, from 1.
        losses: the API's losses by name, summed over replicas.
    """

    step: int
    losses: dict[str, float]


class Trainer:
    """Runs training steps on a built model."""

    def __init__(self, built: BuiltModel, config: TrainEvalPipelineConfig) -> None:
        self._built = built
        self._config = config
        self._iterator: Any = None
        self._step_function: Any = None
        self._timed_steps = 0
        self._timed_seconds = 0.0

    @property
    def steps_per_second(self) -> float | None:
        """Of the steps that this process ran, the first two left out; None before there are any."""
        return self._timed_steps / self._timed_seconds if self._timed_seconds else None

    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(self._built.learning_rate())

    def trace(self) -> None:
        """Build the input and trace the step, which takes seconds to minutes and changes nothing."""
        with autograph(False):
            self._iterator = self.build_input()
            self._step_function = self._build_step()
            self._step_function.get_concrete_function(self._iterator)

    def run(self, until: int, after_step: Callable[[StepResult], bool]) -> None:
        """Train until the global step is `until`, or `after_step` returns False; `trace` comes first.

        Raises:
            DataError: a training record cannot be read.
        """
        import tensorflow as tf

        with autograph(False), without_grappler():
            step, done = int(self._built.global_step.numpy()), 0
            while step < until:
                started = time.perf_counter()
                try:
                    losses = {name: float(loss) for name, loss in self._step_function(self._iterator).items()}
                except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
                    raise reading_error(error, "train_input_reader") from None
                step, done = step + 1, done + 1
                if self._timed_steps or done > _WARM_UP:
                    self._timed_steps += 1
                    self._timed_seconds += time.perf_counter() - started
                if not after_step(StepResult(step, losses)):
                    return

    def build_input(self) -> Any:
        """An iterator over the batches that the config asks for: shuffled, augmented, endless."""
        from object_detection import inputs

        config = self._config

        def per_replica(context: Any) -> Any:
            dataset = inputs.train_input(
                train_config=config.train_config,
                train_input_config=config.train_input_reader,
                model_config=config.model,
                model=self._built.model,
                input_context=context,
            )
            return without_autotune(dataset.repeat())

        with autograph(input_needs_autograph(config)):
            return iter(self._built.strategy.distribute_datasets_from_function(per_replica))

    def _build_step(self) -> Any:
        import tensorflow as tf
        from object_detection import model_lib_v2

        built, train = self._built, self._config.train_config

        def replica_step(features: dict[str, Any], labels: dict[str, Any]) -> dict[str, Any]:
            losses = model_lib_v2.eager_train_step(
                built.model,
                features,
                labels,
                train.unpad_groundtruth_tensors,
                built.optimizer,
                training_step=built.global_step,
                add_regularization_loss=train.add_regularization_loss,
                clip_gradients_value=train.gradient_clipping_by_norm or None,
                num_replicas=built.strategy.num_replicas_in_sync,
            )
            built.global_step.assign_add(1)
            return dict(losses)

        @tf.function(autograph=False)
        def step(iterator: Any) -> dict[str, Any]:
            features, labels = next(iterator)
            losses = built.strategy.run(replica_step, args=(features, labels))
            return {
                name: built.strategy.reduce(tf.distribute.ReduceOp.SUM, loss, axis=None)
                for name, loss in losses.items()
            }

        return step


def weights_are_finite(built: BuiltModel) -> bool:
    """Whether every weight is a finite number."""
    import tensorflow as tf

    return all(bool(tf.reduce_all(tf.math.is_finite(weight))) for weight in built.model.trainable_variables)
