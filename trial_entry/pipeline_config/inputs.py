"""The files that a config names: made absolute, globs and shards expanded, looked at; and copied here from buckets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.existing import absolute_path, existing_file, existing_files, existing_prefix
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.storage.paths import local_checkpoint, local_file, local_files
from trial_entry.storage.urls import Remote

TRAIN_READER = "train_input_reader"
RECORDS = "tf_record_input_reader.input_path"  # of a reader
CHECKPOINT = "train_config.fine_tune_checkpoint"
KEYPOINT_LABEL_MAP = "model.center_net.keypoint_label_map_path"
TEST = "test"  # the name of the eval_input_reader that no trial reads: it is for what was chosen, once


def readers(config: TrainEvalPipelineConfig) -> Iterator[tuple[str, InputReader]]:
    """The input readers of a trial with their field paths: all but those called TEST."""
    for where, reader in all_readers(config):
        if where == TRAIN_READER or reader.name != TEST:
            yield where, reader


def all_readers(config: TrainEvalPipelineConfig) -> Iterator[tuple[str, InputReader]]:
    """Every input reader with its field path."""
    if config.HasField("train_input_reader"):
        yield TRAIN_READER, config.train_input_reader
    for number, reader in enumerate(config.eval_input_reader):
        yield f"eval_input_reader.{number}", reader


def named_paths(config: TrainEvalPipelineConfig) -> Iterator[tuple[str, str]]:
    """Every path that a trial opens, as it stands, with the path of its field."""
    for where, reader in readers(config):
        if reader.label_map_path:
            yield f"{where}.label_map_path", reader.label_map_path
        for path in record_files(reader):
            yield f"{where}.{RECORDS}", path
    if config.train_config.fine_tune_checkpoint:
        yield CHECKPOINT, config.train_config.fine_tune_checkpoint
    if config.model.center_net.keypoint_label_map_path:
        yield KEYPOINT_LABEL_MAP, config.model.center_net.keypoint_label_map_path


def resolve_paths(config: TrainEvalPipelineConfig, folder: Path | Remote) -> None:
    """Make every input path of `config` absolute, relative ones taken from `folder`, and expand globs, in buckets too.

    Raises:
        ConfigError: a file that is named does not exist, or a pattern matches none.
        DataError: a file may not be looked at, or a bucket cannot be read.
    """
    for where, reader in all_readers(config):
        if reader.name == TEST and where != TRAIN_READER:
            _make_absolute(reader, folder)  # it may lie where no trial can see it
        else:
            _resolve_reader(reader, where, folder)
    resolve_model_paths(config, folder)
    train = config.train_config
    if train.fine_tune_checkpoint:
        train.fine_tune_checkpoint = existing_prefix(train.fine_tune_checkpoint, folder, CHECKPOINT)


def resolve_model_paths(config: TrainEvalPipelineConfig, folder: Path | Remote) -> None:
    """The same for the one path that a model is built with, a CenterNet's keypoints.

    Raises:
        ConfigError, DataError: as `resolve_paths`.
    """
    path = config.model.center_net.keypoint_label_map_path
    if path:
        config.model.center_net.keypoint_label_map_path = existing_file(path, folder, KEYPOINT_LABEL_MAP)


def keep_measured(config: TrainEvalPipelineConfig, name: str | None, folder: Path | Remote) -> None:
    """Leave of the input readers the one that an evaluation reads, its paths absolute; and no checkpoint to begin from.

    Args:
        name: of the eval_input_reader; None for the one that validates.

    Raises:
        ConfigError: there is no such reader, or a file that it names does not exist.
        DataError: as `resolve_paths`.
    """
    named = [(place, reader) for place, reader in enumerate(config.eval_input_reader) if reader.name == name]
    if name is None:
        named = [(place, reader) for place, reader in enumerate(config.eval_input_reader) if reader.name != TEST]
    if len(named) != 1:
        called = f'called "{name}"' if name is not None else f'not called "{TEST}"'
        raise ConfigError(f"eval_input_reader: {len(named)} are {called}, and one is evaluated")
    [(place, found)] = named
    resolve_model_paths(config, folder)
    kept = InputReader()
    kept.CopyFrom(found)
    _resolve_reader(kept, f"eval_input_reader.{place}", folder)
    kept.ClearField("name")  # what reads the config takes it for the one that validates
    del config.eval_input_reader[:]
    config.eval_input_reader.append(kept)
    config.ClearField("train_input_reader")
    config.train_config.ClearField("fine_tune_checkpoint")


def localized(config: TrainEvalPipelineConfig) -> TrainEvalPipelineConfig:
    """A copy that names files of this machine alone: what lies in a bucket is copied here first, once.

    Raises:
        DataError: a bucket cannot be read, or an object is not there.
    """
    copy = TrainEvalPipelineConfig()
    copy.CopyFrom(config)
    for _, reader in readers(copy):
        if reader.label_map_path:
            reader.label_map_path = str(local_file(reader.label_map_path))
        reader.tf_record_input_reader.input_path[:] = map(str, local_record_files(reader))
    if path := copy.model.center_net.keypoint_label_map_path:
        copy.model.center_net.keypoint_label_map_path = str(local_file(path))
    if copy.train_config.fine_tune_checkpoint:
        copy.train_config.fine_tune_checkpoint = local_checkpoint(copy.train_config.fine_tune_checkpoint)
    return copy


def without_paths(config: TrainEvalPipelineConfig) -> TrainEvalPipelineConfig:
    """A copy without input paths: what two trials share that read equal data from different places."""
    copy = TrainEvalPipelineConfig()
    copy.CopyFrom(config)
    for _, reader in all_readers(copy):
        reader.ClearField("label_map_path")
        reader.tf_record_input_reader.ClearField("input_path")
    copy.train_config.ClearField("fine_tune_checkpoint")
    if copy.model.center_net.keypoint_label_map_path:
        copy.model.center_net.ClearField("keypoint_label_map_path")
    return copy


def _resolve_reader(reader: InputReader, where: str, folder: Path | Remote) -> None:
    """Raises ConfigError and DataError as `resolve_paths`."""
    if reader.label_map_path:
        reader.label_map_path = existing_file(reader.label_map_path, folder, f"{where}.label_map_path")
    records = reader.tf_record_input_reader
    records.input_path[:] = [
        file for pattern in records.input_path for file in existing_files(pattern, folder, f"{where}.{RECORDS}")
    ]


def _make_absolute(reader: InputReader, folder: Path | Remote) -> None:
    if reader.label_map_path:
        reader.label_map_path = absolute_path(reader.label_map_path, folder)
    paths = reader.tf_record_input_reader.input_path
    paths[:] = [absolute_path(path, folder) for path in paths]


def local_record_files(reader: InputReader) -> list[Path]:
    """The record files of one input reader, in order; those in buckets are copied here first, once.

    Raises:
        DataError: a bucket cannot be read, or an object is not there.
    """
    return local_files(record_files(reader))


def record_files(reader: InputReader) -> list[str]:
    """The record files of one input reader, in order."""
    return list(reader.tf_record_input_reader.input_path)
