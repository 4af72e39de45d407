"""The files that a config names: made absolute, globs and shards expanded, looked at.

`gs://` paths stay as they are; they are looked at where they are read.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.protos import InputReader, TrainEvalPipelineConfig

_REMOTE = "gs://"
_GLOB = frozenset("*?[")


def is_remote(path: str) -> bool:
    """Whether `path` lies in a bucket rather than in this machine's file system."""
    return path.startswith(_REMOTE)


def readers(config: TrainEvalPipelineConfig) -> Iterator[tuple[str, InputReader]]:
    """Every input reader with its field path."""
    if config.HasField("train_input_reader"):
        yield "train_input_reader", config.train_input_reader
    for number, reader in enumerate(config.eval_input_reader):
        yield f"eval_input_reader.{number}", reader


def resolve_paths(config: TrainEvalPipelineConfig, folder: Path) -> None:
    """Make every input path of `config` absolute, relative ones taken from `folder`, and expand globs.

    Raises:
        ConfigError: a file that is named does not exist, or a pattern matches none.
    """
    for where, reader in readers(config):
        if reader.label_map_path:
            reader.label_map_path = _existing(reader.label_map_path, folder, f"{where}.label_map_path")
        records = reader.tf_record_input_reader
        expanded = [
            file
            for pattern in records.input_path
            for file in _files(pattern, folder, f"{where}.tf_record_input_reader.input_path")
        ]
        del records.input_path[:]
        records.input_path.extend(expanded)
    train = config.train_config
    if train.fine_tune_checkpoint:
        train.fine_tune_checkpoint = _checkpoint(train.fine_tune_checkpoint, folder)


def without_paths(config: TrainEvalPipelineConfig) -> TrainEvalPipelineConfig:
    """A copy without input paths: what two trials share that read equal data from different places."""
    copy = TrainEvalPipelineConfig()
    copy.CopyFrom(config)
    for _, reader in readers(copy):
        reader.ClearField("label_map_path")
        reader.tf_record_input_reader.ClearField("input_path")
    copy.train_config.ClearField("fine_tune_checkpoint")
    return copy


def _absolute(path: str, folder: Path) -> str:
    return path if is_remote(path) else os.path.normpath(folder / Path(path).expanduser())


def _existing(path: str, folder: Path, where: str) -> str:
    absolute = _absolute(path, folder)
    if not is_remote(absolute) and not _is_file(absolute, where):
        raise ConfigError(f"{where}: {absolute}: no such file")
    return absolute


def _files(pattern: str, folder: Path, where: str) -> list[str]:
    absolute = _absolute(pattern, folder)
    if is_remote(absolute) or not _GLOB.intersection(absolute) or _is_file(absolute, where):
        return [_existing(pattern, folder, where)]
    found = sorted(glob.glob(absolute))  # noqa: PTH207 (a pattern with folders in it, absolute)
    if not found:
        raise ConfigError(f"{where}: {absolute}: no file matches this pattern")
    return found


def _is_file(path: str, where: str) -> bool:
    """Whether there is such a file; a folder that this user may not enter is an error, not a no."""
    try:
        return Path(path).is_file()
    except OSError as error:
        raise ConfigError(f"{where}: {path}: {error.strerror} (as user {os.getuid()})") from None


def _checkpoint(path: str, folder: Path) -> str:
    absolute, where = _absolute(path, folder), "train_config.fine_tune_checkpoint"
    if is_remote(absolute) or _is_file(absolute + ".index", where):
        return absolute
    state = Path(absolute) / "checkpoint"
    hint = "its files are PREFIX.index and PREFIX.data-00000-of-00001"
    if Path(absolute).is_dir() and state.is_file():
        hint = "this is a folder of checkpoints; name one of them, such as ckpt-0"
    raise ConfigError(f"{where}: {absolute}: no checkpoint has this prefix; {hint}")


def record_files(reader: Any) -> list[str]:
    """The record files of one input reader, in order."""
    return list(reader.tf_record_input_reader.input_path)
