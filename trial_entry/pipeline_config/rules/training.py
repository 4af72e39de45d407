"""What a training must have: an optimizer, an end, a checkpoint that TensorFlow 2 restores."""

from __future__ import annotations

from collections.abc import Iterator

from trial_entry.finding import Finding
from trial_entry.pipeline_config.field_paths import shortest
from trial_entry.pipeline_config.protos import CheckpointVersion, TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.rule import refused, warned


def findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Of `train_config`."""
    train = config.train_config
    if train.optimizer.WhichOneof("optimizer") is None:
        yield refused("train_config.optimizer", "not set")
    if not train.num_steps:
        yield refused("train_config.num_steps", "not set", "a trial must end (or assign num_steps or epochs)")
    if train.fine_tune_checkpoint and train.fine_tune_checkpoint_version != CheckpointVersion.V2:
        right = "must be V2, the only one that TensorFlow 2 models restore"
        yield refused("train_config.fine_tune_checkpoint_version", right)


def precision_findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """The model zoo's configs are for TPUs, on which alone the stock programs compute in bfloat16."""
    if config.train_config.use_bfloat16:
        what = "computes in bfloat16 here on any device, which the stock programs do on TPUs alone"
        right = (
            "leave it out, unless the device computes in it (boxtune speed says): on others it is slow and may diverge"
        )
        yield warned("train_config.use_bfloat16", what, right)


def decay_findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """The API hands RMSProp's `decay` to an argument of Keras that makes the rate fall, on top of the schedule."""
    rms = config.train_config.optimizer.rms_prop_optimizer
    if config.train_config.optimizer.WhichOneof("optimizer") == "rms_prop_optimizer" and rms.decay:
        said = shortest(rms.decay) + ("" if rms.HasField("decay") else " (the default)")
        what = f"is {said}: in TensorFlow 2 the learning rate is divided by 1 + {shortest(rms.decay)} x the step"
        yield warned("train_config.optimizer.rms_prop_optimizer.decay", what, "0 leaves the rate to its schedule")


def boxes_findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """Two fields of one name, of which TensorFlow 2 reads the reader's."""
    said, read = config.train_config.max_number_of_boxes, config.train_input_reader.max_number_of_boxes
    if config.train_config.HasField("max_number_of_boxes") and said != read:
        what = f"is {said}, and nothing in TensorFlow 2 reads it"
        yield warned("train_config.max_number_of_boxes", what, f"train_input_reader.max_number_of_boxes counts, {read}")


def average_findings(config: TrainEvalPipelineConfig) -> Iterator[Finding]:
    """An evaluation of moving averages needs a training that keeps them."""
    if config.eval_config.use_moving_averages and not config.train_config.optimizer.use_moving_average:
        what = "needs train_config.optimizer.use_moving_average, or there are none"
        yield refused("eval_config.use_moving_averages", what)
