"""The data of a trial, looked at before TensorFlow is imported for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trial_entry.errors import DataError
from trial_entry.pipeline_config.checks import num_classes
from trial_entry.pipeline_config.inputs import local_record_files, readers, record_files
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.records.examples import decode_example
from trial_entry.records.label_map import LabelMap, read_label_map
from trial_entry.records.tfrecord import RecordSummary, read_records, summarize

_XMIN = "image/object/bbox/xmin"
_LABEL = "image/object/class/label"
_LABELS_LOOKED_AT = 200  # of each reader's first records: enough for a label map that does not belong


@dataclass(frozen=True)
class Dataset:
    """What a trial reads.

    Attributes:
        label_map: of the evaluation's reader; equal to the training's in its numbers.
        digests: SHA-256 by the field path of the reader or checkpoint.
        num_train_examples: records of the training reader.
    """

    label_map: LabelMap
    digests: dict[str, str]
    num_train_examples: int


def count_train_examples(config: TrainEvalPipelineConfig) -> int:
    """How many examples one pass over the training reader gives (at least 1).

    Raises:
        DataError: a record file is missing, empty or corrupt, or in a bucket that cannot be read.
    """
    reader = config.train_input_reader
    return max(1, _summary(reader).count // max(1, int(reader.sample_1_of_n_examples)))


def inspect(config: TrainEvalPipelineConfig) -> Dataset:
    """Read framing, first labels and label maps of everything that `config` names, which must lie on this machine.

    Raises:
        DataError: missing, empty, corrupt, without boxes, or not of this label map.
    """
    digests: dict[str, str] = {}
    label_map, count = LabelMap({}), 0
    for where, reader in readers(config):
        summary = _summary(reader)
        label_map = read_label_map(Path(reader.label_map_path), num_classes(config))
        label_map.metric_names()  # refuses labels that collide
        _look_at_boxes(where, reader, num_classes(config))
        digests[where] = summary.digest
        if where == "train_input_reader":
            count = summary.count
    checkpoint = config.train_config.fine_tune_checkpoint
    if checkpoint:  # the index holds a checksum of every tensor
        digests["fine_tune_checkpoint"] = hashlib.sha256(Path(checkpoint + ".index").read_bytes()).hexdigest()
    return Dataset(label_map, digests, count)


def glance(config: TrainEvalPipelineConfig) -> None:
    """Open everything that `config` names, on this machine: label maps, and the first records of each reader.

    Raises:
        DataError: missing, empty, corrupt, without boxes, or not of this label map.
    """
    for where, reader in readers(config):
        read_label_map(Path(reader.label_map_path), num_classes(config)).metric_names()
        _look_at_boxes(where, reader, num_classes(config))


def _summary(reader: InputReader) -> RecordSummary:
    return summarize(local_record_files(reader))


def _look_at_boxes(where: str, reader: InputReader, classes: int) -> None:
    """Refuse records of which none has a box, and labels outside 1..classes among the first."""
    found = False
    for number, (place, features) in enumerate(_examples(reader)):
        found = found or bool(features.get(_XMIN))
        wrong = next((label for label in features.get(_LABEL, []) if not 1 <= label <= classes), None)
        if wrong is not None:
            raise DataError(f"{place}: label {wrong} is outside 1 to num_classes ({classes})")
        if number >= _LABELS_LOOKED_AT and found:
            return
    if not found:
        raise DataError(
            f"{where}: {record_files(reader)[0]}: no record has a box ({_XMIN}); nothing to learn or measure"
        )


def _examples(reader: InputReader) -> Iterator[tuple[str, dict[str, list[int]]]]:
    for file in record_files(reader):
        for number, data in enumerate(read_records(Path(file))):
            place = f"{file}: record {number}"
            yield place, decode_example(data, place)
