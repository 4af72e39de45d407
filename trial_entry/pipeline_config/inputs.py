"""The files that a config names: made absolute, globs and shards expanded, looked at; and copied here from buckets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig
from trial_entry.storage.paths import is_file, is_pattern, local_checkpoint, local_file, local_files, matching
from trial_entry.storage.urls import Remote, is_remote

TRAIN_READER = "train_input_reader"
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
    train = config.train_config
    if train.fine_tune_checkpoint:
        train.fine_tune_checkpoint = _checkpoint(train.fine_tune_checkpoint, folder)


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
    return copy


def _resolve_reader(reader: InputReader, where: str, folder: Path | Remote) -> None:
    """Raises ConfigError and DataError as `resolve_paths`."""
    if reader.label_map_path:
        reader.label_map_path = _existing(reader.label_map_path, folder, f"{where}.label_map_path")
    records = reader.tf_record_input_reader
    records.input_path[:] = [
        file
        for pattern in records.input_path
        for file in _files(pattern, folder, f"{where}.tf_record_input_reader.input_path")
    ]


def _make_absolute(reader: InputReader, folder: Path | Remote) -> None:
    if reader.label_map_path:
        reader.label_map_path = absolute_path(reader.label_map_path, folder)
    paths = reader.tf_record_input_reader.input_path
    paths[:] = [absolute_path(path, folder) for path in paths]


def absolute_path(path: str, folder: Path | Remote) -> str:
    """A path of a config, relative ones taken from `folder`."""
    if is_remote(path):
        return path
    if isinstance(folder, Path):
        return os.path.normpath(folder / Path(path).expanduser())
    return path if path.startswith("/") else str(folder / path)


def _existing(path: str, folder: Path | Remote, where: str) -> str:
    absolute = absolute_path(path, folder)
    if not is_file(absolute):
        raise ConfigError(f"{where}: {absolute}: no such {'object' if is_remote(absolute) else 'file'}")
    return absolute


def _files(pattern: str, folder: Path | Remote, where: str) -> list[str]:
    absolute = absolute_path(pattern, folder)
    if not is_pattern(absolute) or is_file(absolute):
        return [_existing(pattern, folder, where)]
    found = matching(absolute)
    if not found:
        raise ConfigError(f"{where}: {absolute}: no file matches this pattern")
    return found


def _checkpoint(path: str, folder: Path | Remote) -> str:
    absolute = absolute_path(path, folder)
    if is_file(absolute + ".index"):
        return absolute
    hint = "its files are PREFIX.index and PREFIX.data-00000-of-00001"
    if is_file(f"{absolute}/checkpoint"):
        hint = "this is a folder of checkpoints; name one of them, such as ckpt-0"
    raise ConfigError(f"train_config.fine_tune_checkpoint: {absolute}: no checkpoint has this prefix; {hint}")


def local_record_files(reader: InputReader) -> list[Path]:
    """The record files of one input reader, in order; those in buckets are copied here first, once.

    Raises:
        DataError: a bucket cannot be read, or an object is not there.
    """
    return local_files(record_files(reader))


def record_files(reader: InputReader) -> list[str]:
    """The record files of one input reader, in order."""
    return list(reader.tf_record_input_reader.input_path)
