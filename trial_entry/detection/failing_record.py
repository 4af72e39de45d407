"""TensorFlow's room, a record that fails: its file, number and reason, found after a batch could not be made of it.

TensorFlow names an operation of the input's graph and neither file nor record. Records are looked at before any of this
(`records.look`); what is left here is what only decoding finds, such as an image that is damaged within.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from trial_entry.detection.runtime import autograph, input_needs_autograph
from trial_entry.errors import DataError
from trial_entry.pipeline_config.inputs import TRAIN_READER, local_record_files
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.records.tfrecord import summarize

if TYPE_CHECKING:
    import tensorflow as tf
    from object_detection.core.model import DetectionModel

_LOG = logging.getLogger(__name__)
_NODES = re.compile(
    r"^.*Iterator::\S+: |\{\{[^}]*\}\}|\[\[.*?\]\]|\[Op:\w+\]|name:\s*$"
)  # TensorFlow's names of operations
_NODE = "{{"  # which stands before the reason, in whichever line that is
_RIGHT = "write the record again, or leave it out"


def reading_error(error: Exception, config: TrainEvalPipelineConfig, where: str, model: DetectionModel) -> Exception:
    """The DataError where a TensorFlow error came from reading records, else the error itself.

    Args:
        where: the field path of the reader.
        model: preprocesses the images, as it did.
    """
    said = str(error)
    if not ("IteratorGetNext" in said or "DecodeJpeg" in said or "DataLoss" in type(error).__name__):
        return error
    _LOG.info("a record cannot be read; looking for it")
    found = _failing(config, where, model)
    return found or DataError(f"{where}: a batch cannot be made of its records: {_reason(error)}")


def _failing(config: TrainEvalPipelineConfig, where: str, model: DetectionModel) -> DataError | None:
    """The first record that fails by itself; None where all of them can be read one at a time."""
    import tensorflow as tf

    reader = config.train_input_reader if where == TRAIN_READER else config.eval_input_reader[0]
    alone = _one_at_a_time(reader)
    batches, number = _batches(config, alone, where, model), 0
    try:
        with autograph(input_needs_autograph(config)):
            for _ in batches():
                number += 1
    except tf.errors.OpError as error:
        return _placed(reader, number * max(1, int(reader.sample_1_of_n_examples)), _reason(error))
    return None


def _one_at_a_time(reader: InputReader) -> InputReader:
    """The reader, in the order of its files and records, to their end."""
    alone = InputReader()
    alone.CopyFrom(reader)
    alone.shuffle, alone.num_readers, alone.num_epochs, alone.drop_remainder = False, 1, 1, False
    alone.ClearField("sample_from_datasets_weights")
    return alone


def _batches(
    config: TrainEvalPipelineConfig, reader: InputReader, where: str, model: DetectionModel
) -> Callable[[], tf.data.Dataset]:
    """What makes batches of one image, as the training or the evaluation does."""
    from object_detection import inputs

    if where == TRAIN_READER:
        train = type(config.train_config)()
        train.CopyFrom(config.train_config)
        train.batch_size = 1
        return lambda: inputs.train_input(train, reader, config.model, model=model)
    evaluation = type(config.eval_config)()
    evaluation.CopyFrom(config.eval_config)
    evaluation.batch_size = 1
    return lambda: inputs.eval_input(evaluation, reader, config.model, model=model)


def _placed(reader: InputReader, number: int, reason: str) -> DataError | None:
    """The error of the record that has this number among those of all files."""
    for file in local_record_files(reader):
        count = summarize([file]).count
        if number < count:
            return DataError(f"{file}: record {number}: cannot be read: {reason}; {_RIGHT}")
        number -= count
    return None


def _reason(error: Exception) -> str:
    """What TensorFlow says of the cause, without its names of operations."""
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    line = next((line for line in lines if line.lstrip().startswith(_NODE)), lines[0] if lines else repr(error))
    return _NODES.sub("", line).strip()
