"""A model with its optimizer and variables, built as the API builds them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.error import URLError

from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

if TYPE_CHECKING:
    import tensorflow as tf
    from object_detection.core.model import DetectionModel

_UNMATCHED = re.compile(r"<tf\.Variable '([^']+)'|name='([^']+)'")
_FALLBACK_EDGE = 256  # of the image that variables are made with, where the config leaves the size open


@dataclass(frozen=True)
class BuiltModel:
    """What training and evaluation share.

    Attributes:
        strategy: the distribution strategy that the variables live in.
        model: the API's DetectionModel.
        optimizer: the (legacy tf_keras) optimizer; None where nobody needs it.
        learning_rate: reads the current rate; likewise.
        global_step: int64 variable, the number of steps done.
        objects_lock: held while the model's Python objects are changed, which a trace does, or walked, which a
            checkpoint does: evaluation is traced in a thread of its own.
    """

    strategy: tf.distribute.Strategy
    model: DetectionModel
    optimizer: tf.keras.optimizers.Optimizer
    learning_rate: Callable[[], tf.Tensor] | None
    global_step: tf.Variable
    objects_lock: threading.Lock = field(default_factory=threading.Lock)


def build_model(
    config: TrainEvalPipelineConfig, strategy: tf.distribute.Strategy, optimizer: bool = True
) -> BuiltModel:
    """Build model and optimizer, every variable made.

    Variables are made by one prediction outside any graph: made within the first training step instead, as the
    stock loop does, the step would be traced twice.

    Args:
        optimizer: False spares it; its variables are more than the model's.

    Raises:
        ConfigError: the API cannot build this config, or not without the internet.
    """
    import tensorflow as tf
    from object_detection.builders import model_builder, optimizer_builder

    with strategy.scope():
        # The stock programs do so on TPUs alone. Set either way: one process may build several models.
        precision = "mixed_bfloat16" if config.train_config.use_bfloat16 else "float32"
        tf.keras.mixed_precision.set_global_policy(precision)
        try:
            model = model_builder.build(config.model, is_training=True, add_summaries=False)
            global_step = tf.Variable(
                0,
                trainable=False,
                dtype=tf.int64,
                name="global_step",
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            _make_variables(model, config)
            if not optimizer:
                return BuiltModel(strategy, model, None, None, global_step)
            rule, (rate,) = optimizer_builder.build(config.train_config.optimizer, global_step=global_step)
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            said = str(error).strip().splitlines()
            raise ConfigError(
                f"the API cannot build a model from this config: {said[0] if said else error!r}"
            ) from error
        except Exception as error:
            if isinstance(error.__context__, URLError):  # Keras makes a bare Exception of it
                what = "this feature extractor begins from weights that Keras fetches from the internet"
                raise ConfigError(f"{what}, and they cannot be fetched: {error.__context__.reason}") from error
            raise
        if config.train_config.optimizer.use_moving_average:
            rule.shadow_copy(model)
        slots = getattr(rule, "_optimizer", rule)  # an averaging optimizer holds the real one
        slots._create_all_weights(model.trainable_variables)
    return BuiltModel(strategy, model, rule, rate if callable(rate) else lambda: rate, global_step)


def _make_variables(model: DetectionModel, config: TrainEvalPipelineConfig) -> None:
    import tensorflow as tf
    from object_detection.utils import config_util

    resizer = config_util.get_image_resizer_config(config.model)
    height, width = (
        edge if edge and edge > 0 else _FALLBACK_EDGE for edge in config_util.get_spatial_image_size(resizer)
    )
    set_training(model, False)
    image, shape = model.preprocess(tf.zeros([1, height, width, 3]))
    model.predict(image, shape)


def set_training(model: DetectionModel, training: bool) -> None:
    """Tell the model and Keras whether what is traced next is training; the API reads both."""
    import tensorflow as tf

    model._is_training = training
    tf.compat.v1.keras.backend.set_learning_phase(training)


def forget_groundtruth(model: DetectionModel) -> None:
    """Let the model forget what the last trace gave it: it keeps what the next does not give, of a graph that is gone.

    A training that reads keypoints beside an evaluation that does not is traced so.
    """
    for name in list(model._groundtruth_lists):
        del model._groundtruth_lists[name]


def load_fine_tune_checkpoint(built: BuiltModel, config: TrainEvalPipelineConfig) -> None:
    """Restore the config's `fine_tune_checkpoint` into the model, through the API's own map.

    Raises:
        ConfigError: not a TF2 checkpoint, or not one of this model; names the first variables without a match.
    """
    import tensorflow as tf
    from object_detection import model_lib_v2
    from object_detection.utils import config_util

    train = config.train_config
    config_util.update_fine_tune_checkpoint_type(train)
    where = f"train_config.fine_tune_checkpoint: {train.fine_tune_checkpoint}"
    try:
        with built.strategy.scope():
            model_lib_v2.load_fine_tune_checkpoint(
                built.model,
                train.fine_tune_checkpoint,
                train.fine_tune_checkpoint_type,
                train.fine_tune_checkpoint_version,
                run_model_on_dummy_input=False,
                input_dataset=None,
                unpad_groundtruth_tensors=train.unpad_groundtruth_tensors,
            )
    except AssertionError as error:
        names = ["".join(groups) for groups in _UNMATCHED.findall(str(error))][:3]
        meant = _other_type(train.fine_tune_checkpoint, train.fine_tune_checkpoint_type)
        what = f"does not match this model; it has no value for {', '.join(names)}, …"
        raise ConfigError(f"{where}: {meant or what}") from None
    except (ValueError, OSError, tf.errors.OpError) as error:
        raise ConfigError(f"{where}: cannot be restored: {str(error).strip().splitlines()[0]}") from None


def _other_type(prefix: str, kind: str) -> str:
    """What a checkpoint is where it is of the other type than the config says; empty where it is not.

    A detector's has its objects below `model`, a classification's backbone is `feature_extractor` at the top.
    """
    import tensorflow as tf

    tops = {name.partition("/")[0] for name, _ in tf.train.list_variables(prefix)}
    detector, backbone = "model" in tops, "feature_extractor" in tops
    if kind == "classification" and detector and not backbone:
        return 'is a detector\'s checkpoint, and fine_tune_checkpoint_type is "classification"; set "detection"'
    if kind != "classification" and backbone and not detector:
        return f'is a classification\'s checkpoint, and fine_tune_checkpoint_type is "{kind}"; set "classification"'
    return ""
