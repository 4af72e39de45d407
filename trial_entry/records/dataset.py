"""The data of a trial, looked at before TensorFlow is imported for it."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trial_entry.contract.metrics import class_metric
from trial_entry.errors import DataError, RequestError
from trial_entry.finding import Finding, errors_of
from trial_entry.pipeline_config.classes import classes_path, num_classes
from trial_entry.pipeline_config.inputs import (
    KEYPOINT_LABEL_MAP,
    TRAIN_READER,
    local_record_files,
    readers,
    record_files,
)
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.records.asked import asked_of
from trial_entry.records.keypoints import keypoint_findings
from trial_entry.records.label_map import LabelMap, classes_misfit, read_label_map
from trial_entry.records.look import RecordsLook, look_at
from trial_entry.records.objects import Expected
from trial_entry.records.reader_findings import ReaderLook, label_map_findings, same_file_findings, shared_findings
from trial_entry.records.tfrecord import RecordSummary, summarize

_LONG = 2.0  # seconds after which people wonder
_LOG = logging.getLogger(__name__)
Looking = Callable[[list[Path], Expected], RecordsLook]


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


def data_digests(config: TrainEvalPipelineConfig) -> dict[str, str]:
    """SHA-256 of what a trial reads, by the field path of the reader, and of the checkpoint that it starts from.

    Raises:
        DataError: a record file is missing, empty or corrupt, or in a bucket that cannot be read.
        OSError: the checkpoint is not here.
    """
    digests = {where: _summary(reader).digest for where, reader in readers(config)}
    checkpoint = config.train_config.fine_tune_checkpoint
    if checkpoint:  # the index holds a checksum of every tensor
        digests["fine_tune_checkpoint"] = hashlib.sha256(Path(checkpoint + ".index").read_bytes()).hexdigest()
    return digests


def inspect(config: TrainEvalPipelineConfig) -> Dataset:
    """Look at every record and label map that `config` names, which must lie on this machine; log what is a warning.

    Raises:
        DataError: the first finding that is an error.
    """
    looks = _accepted(config, dict(readers(config)))
    count = next((each.look.images for each in looks if each.trains), 0)
    return Dataset(looks[-1].labels, data_digests(config), count)


def evaluation_labels(config: TrainEvalPipelineConfig) -> LabelMap:
    """The label map of the evaluation, whose records are looked at as `inspect` does; the training's are not.

    Raises:
        DataError: as `inspect`.
    """
    only = {where: reader for where, reader in readers(config) if where != TRAIN_READER}
    return _accepted(config, only)[-1].labels


def look(config: TrainEvalPipelineConfig) -> list[Finding]:
    """Everything that is wrong with the records and label maps that `config` names, on this machine."""
    return [*same_file_findings(config), *look_here(config)]


def look_here(config: TrainEvalPipelineConfig) -> list[Finding]:
    """What `look` finds in the files themselves.

    A reader may lack its label map or its records, where they are not on this machine: what there is is looked at.
    """
    return _look(config, dict(readers(config)))[1]


def reader_look(where: str, reader: InputReader, classes: int, looking: Looking = look_at) -> ReaderLook:
    """One reader's label map and all its records; either may be left out where it is not here.

    Args:
        where: its field path.
        classes: the model's num_classes.
        looking: looks at the files.

    Raises:
        RequestError: the label map cannot be used.
    """
    labels = read_label_map(Path(reader.label_map_path)) if reader.label_map_path else None
    expected = Expected(labels, classes, int(reader.max_number_of_boxes), asked_of(where, reader, classes))
    return ReaderLook(where, reader, labels or LabelMap({}), looking(local_record_files(reader), expected))


def findings_between(looks: list[ReaderLook]) -> list[Finding]:
    """What is wrong with the training's and the evaluation's records beside each other."""
    found: list[Finding] = []
    for one in (each for each in looks if each.trains):
        for other in (each for each in looks if not each.trains):
            found += label_map_findings(one, other)
            if not set(record_files(one.reader)) & set(record_files(other.reader)):  # else that is said of the file
                found += shared_findings(one.where, one.look, other.where, other.look)
    return found


def _accepted(config: TrainEvalPipelineConfig, wanted: dict[str, InputReader]) -> list[ReaderLook]:
    """The looks, once none of their findings is an error; warnings are logged."""
    started = time.perf_counter()
    looks, findings = _look(config, wanted)
    findings = [*same_file_findings(config), *findings]
    if errors := errors_of(findings):
        others = len(errors) - 1
        more = f" ({others} more error{'s' * (others > 1)}, which boxtune check lists)" if others else ""
        raise DataError(f"{errors[0]}{more}")
    seconds = time.perf_counter() - started
    if seconds > _LONG:
        _LOG.info("looked at %d records in %.1f s", sum(each.look.images for each in looks), seconds)
    for each in findings:
        _LOG.warning("%s", each)
    return looks


def _look(config: TrainEvalPipelineConfig, wanted: dict[str, InputReader]) -> tuple[list[ReaderLook], list[Finding]]:
    looks: list[ReaderLook] = []
    findings: list[Finding] = []
    try:
        findings += keypoint_findings(config)
    except RequestError as wrong:
        findings.append(Finding("error", str(wrong), feature=KEYPOINT_LABEL_MAP))
    for where, reader in wanted.items():
        try:
            looks.append(reader_look(where, reader, num_classes(config)))
        except RequestError as wrong:
            findings.append(Finding("error", str(wrong), feature=where))
            looks.append(reader_look(where, _without_label_map(reader), num_classes(config)))
        findings += looks[-1].findings(config)
    findings += _naming_findings(looks)
    return looks, [*_classes_findings(config, looks), *findings_between(looks), *findings]  # causes first


def _classes_findings(config: TrainEvalPipelineConfig, looks: list[ReaderLook]) -> Iterator[Finding]:
    """A number of classes that is none of a label map's, once for all that have as many."""
    files = {max(each.labels.labels): each for each in reversed(looks) if each.labels.labels}
    for each in reversed(files.values()):
        misfit = classes_misfit(each.labels.labels, num_classes(config), each.reader.label_map_path)
        if misfit is not None:
            yield Finding("error", *misfit, feature=classes_path(config))


def _without_label_map(reader: InputReader) -> InputReader:
    """The reader, of which the records alone are looked at."""
    copy = InputReader()
    copy.CopyFrom(reader)
    copy.ClearField("label_map_path")
    return copy


def _naming_findings(looks: list[ReaderLook]) -> list[Finding]:
    """Classes whose metric cannot have their name."""
    nameless = looks[-1].labels.nameless() if looks else {}
    if not nameless:
        return []
    said = ", ".join(f'{class_metric(str(number))} is "{label}"' for number, label in nameless.items())
    what = f"names of classes that a metric cannot have, or that would be the same in one: {said}"
    return [Finding("warning", what, file=looks[-1].reader.label_map_path)]


def _summary(reader: InputReader) -> RecordSummary:
    return summarize(local_record_files(reader))
