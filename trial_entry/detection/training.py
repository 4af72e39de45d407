"""The training loop: the API's own training step, several a call, checkpoints and evaluations between."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trial_entry.detection.failing_record import reading_error
from trial_entry.detection.model import BuiltModel, forget_groundtruth
from trial_entry.detection.runtime import (
    autograph,
    determinism_error,
    input_needs_autograph,
    without_autotune,
    without_grappler,
)
from trial_entry.errors import ConfigError, first_line
from trial_entry.pipeline_config.inputs import TRAIN_READER
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

if TYPE_CHECKING:
    import tensorflow as tf

_LOG = logging.getLogger(__name__)
_WARM_UP = 2  # steps that a rate leaves out: the first prepares the graph, the second allocates
_CALL_SECONDS = 0.5
_MOST_STEPS = 100  # as many as the stock loop always makes


@dataclass(frozen=True)
class StepResult:
    """One finished step.

    Attributes:
        step: its number, from 1.
        losses: the API's losses by name, summed over replicas.
        learning_rate: of the step after it, as the stock loop reports.
    """

    step: int
    losses: dict[str, float]
    learning_rate: float


class Trainer:
    """Runs training steps on a built model, several a call: as many as take half a second."""

    def __init__(self, built: BuiltModel, config: TrainEvalPipelineConfig) -> None:
        self._built = built
        self._config = config
        self._iterator: tf.data.Iterator = None
        self._steps: Callable[..., tf.Tensor] | None = None
        self._loss_names: Sequence[str] = ()
        self._timed_steps = 0
        self._timed_seconds = 0.0

    @property
    def steps_per_second(self) -> float | None:
        """Of the steps that this process ran, the first two left out; None before there are any."""
        return self._timed_steps / self._timed_seconds if self._timed_seconds else None

    def trace(self, passed: int = 0) -> None:
        """Build the input and trace the step, which takes seconds to minutes and changes nothing.

        Args:
            passed: batches of the input to leave out at its beginning, which earlier processes have trained with.
        """
        import tensorflow as tf

        with autograph(False):
            self._iterator = self.build_input()
            for _ in range(passed):
                next(self._iterator)
            self._steps = self._build_steps().get_concrete_function(self._iterator, tf.TensorSpec([], tf.int32))

    def run(self, until: int, after_steps: Callable[[Sequence[StepResult]], bool]) -> None:
        """Train until the global step is `until`, or `after_steps` returns False; `trace` comes first.

        Args:
            after_steps: takes what was done since it was called last, in order; half a second's worth or one step.

        Raises:
            DataError: a training record cannot be read.
            ConfigError: an operation cannot be deterministic on this device.
        """
        import tensorflow as tf

        assert self._steps is not None
        with autograph(False), without_grappler():
            step, done = int(self._built.global_step.numpy()), 0
            while step < until:
                count = min(self._steps_a_call(), until - step)
                started = time.perf_counter()
                try:
                    rows = self._steps(self._iterator, tf.constant(count)).numpy()
                except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
                    raise reading_error(error, self._config, TRAIN_READER, self._built.model) from None
                except tf.errors.UnimplementedError as error:
                    raise determinism_error(error) from None
                step, done = step + count, done + count
                if self._timed_steps or done > _WARM_UP:
                    self._timed_steps += count
                    self._timed_seconds += time.perf_counter() - started
                if not after_steps([self._result(step - count + place + 1, row) for place, row in enumerate(rows)]):
                    return

    def _steps_a_call(self) -> int:
        """One until its time is known; then what makes a call's own time no matter, and a signal not wait for long."""
        rate = self.steps_per_second
        return 1 if rate is None else max(1, min(_MOST_STEPS, int(rate * _CALL_SECONDS)))

    def build_input(self) -> tf.data.Iterator:
        """An iterator over the batches that the config asks for: shuffled, augmented, endless.

        Raises:
            ConfigError: the reader or the augmentations ask for what cannot be.
        """
        from object_detection import inputs

        config = self._config

        def per_replica(context: tf.distribute.InputContext) -> tf.data.Dataset:
            dataset = inputs.train_input(
                train_config=config.train_config,
                train_input_config=config.train_input_reader,
                model_config=config.model,
                model=self._built.model,
                input_context=context,
            )
            return without_autotune(dataset.repeat())

        with autograph(input_needs_autograph(config)):
            try:
                return iter(self._built.strategy.distribute_datasets_from_function(per_replica))
            except (ValueError, TypeError, KeyError) as error:
                raise ConfigError(f"{TRAIN_READER}: the API cannot read it so: {first_line(error)}") from error

    def _result(self, step: int, row: Sequence[float]) -> StepResult:
        *losses, rate = map(float, row)
        return StepResult(step, dict(zip(self._loss_names, losses, strict=True)), rate)

    def _build_steps(self) -> tf.types.experimental.PolymorphicFunction:
        """A function of the iterator and a number of steps [], int32: losses and learning rate [steps, losses + 1].

        A loop in the graph: between its steps there is no Python. What it loops over is traced once.
        """
        import tensorflow as tf

        @tf.function(autograph=False)
        def steps(iterator: tf.data.Iterator, count: tf.Tensor) -> tf.Tensor:
            def one(number: tf.Tensor, rows: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
                losses, rate = self._step(iterator)
                self._loss_names = tuple(losses)
                row = [tf.cast(value, tf.float32) for value in (*losses.values(), rate)]
                return number + 1, rows.write(number, tf.stack(row))

            begin = (tf.constant(0), tf.TensorArray(tf.float32, size=count))
            _, rows = tf.while_loop(lambda number, _: number < count, one, begin, parallel_iterations=1)
            return rows.stack()

        return steps

    def _step(self, iterator: tf.data.Iterator) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """One step: the API's losses by name, summed over replicas, and the learning rate of the next."""
        import tensorflow as tf
        from object_detection import model_lib_v2

        built, train = self._built, self._config.train_config

        def replica_step(features: dict[str, tf.Tensor], labels: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            forget_groundtruth(built.model)
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

        features, labels = next(iterator)
        losses = built.strategy.run(replica_step, args=(features, labels))
        summed = {
            name: built.strategy.reduce(tf.distribute.ReduceOp.SUM, loss, axis=None) for name, loss in losses.items()
        }
        assert built.learning_rate is not None  # it has an optimizer
        return summed, built.learning_rate()


def weights_are_finite(built: BuiltModel) -> bool:
    """Whether every weight is a finite number."""
    import tensorflow as tf

    with built.objects_lock:
        weights = built.model.trainable_variables
    return all(bool(tf.reduce_all(tf.math.is_finite(weight))) for weight in weights)
