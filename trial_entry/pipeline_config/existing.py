"""The config's room, existing files: what a path of a config names, absolute and looked at."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from trial_entry.errors import ConfigError
from trial_entry.file_kind import HEAD_BYTES, kind_of
from trial_entry.storage.paths import is_file, is_pattern, matching
from trial_entry.storage.urls import Remote, is_remote

_SHARDS = ".data-?????-of-?????"
_FILES = "its files are PREFIX.index and PREFIX.data-00000-of-00001"


def absolute_path(path: str, folder: Path | Remote) -> str:
    """A path of a config, relative ones taken from `folder`."""
    if is_remote(path):
        return path
    if isinstance(folder, Path):
        return os.path.normpath(folder / Path(path).expanduser())
    return path if path.startswith("/") else str(folder / path)


def existing_file(path: str, folder: Path | Remote, where: str) -> str:
    """The absolute path of a file.

    Args:
        where: the path of the field that names it, for the message.

    Raises:
        ConfigError: there is no such file.
        DataError: it may not be looked at, or a bucket cannot be read.
    """
    absolute = absolute_path(path, folder)
    if not is_file(absolute):
        if not is_remote(absolute) and Path(absolute).is_dir():
            raise ConfigError(f"{where}: {absolute}: is a folder; {_within(Path(absolute), where)}")
        kind = "object" if is_remote(absolute) else "file"
        raise ConfigError(f"{where}: {absolute}: no such {kind}{_beside(absolute)}")
    return absolute


def existing_files(pattern: str, folder: Path | Remote, where: str) -> list[str]:
    """The absolute paths of the files that a path or pattern stands for.

    Raises:
        ConfigError: there are none.
        DataError: as `existing_file`.
    """
    absolute = absolute_path(pattern, folder)
    if not is_pattern(absolute) or is_file(absolute):
        return [existing_file(pattern, folder, where)]
    found = matching(absolute)
    if not found:
        raise ConfigError(f"{where}: {absolute}: no file matches this pattern{_beside(absolute)}")
    return found


def existing_prefix(path: str, folder: Path | Remote, where: str) -> str:
    """The absolute prefix of a checkpoint of TensorFlow 2.

    Raises:
        ConfigError: there is none, or a part of it is missing.
        DataError: as `existing_file`.
    """
    absolute = absolute_path(path, folder)
    index = f"{absolute}.index"
    if not is_file(index):
        raise ConfigError(f"{where}: {absolute}: no checkpoint has this prefix; {_why_no_prefix(absolute)}")
    if not matching(absolute + _SHARDS):
        raise ConfigError(f"{where}: {absolute}: has its .index alone; {_FILES}")
    if not is_remote(absolute):
        if is_file(f"{absolute}.meta"):
            what = "is a checkpoint of TensorFlow 1 (it has a .meta)"
            raise ConfigError(f"{where}: {absolute}: {what}; name one of a TensorFlow 2 model")
        with Path(index).open("rb") as file:
            kind = kind_of(file.read(HEAD_BYTES))
        if kind is not None:
            raise ConfigError(f"{where}: {index}: is {kind.name}; {kind.right or 'fetch it again'}")
    return absolute


def _why_no_prefix(absolute: str) -> str:
    if is_remote(absolute):
        return "this is a folder of checkpoints; name one of them" if is_file(f"{absolute}/checkpoint") else _FILES
    for folder in (Path(absolute), Path(absolute) / "checkpoint"):
        prefixes = sorted(str(file)[: -len(".index")] for file in folder.glob("*.index"))
        if prefixes:
            return f"this is a folder of checkpoints; name one of them: {prefixes[-1]}"
    if Path(absolute).is_dir():
        has = "a SavedModel is no checkpoint; " if (Path(absolute) / "saved_model.pb").exists() else ""
        return f"this is a folder without checkpoints; {has}{_FILES}"
    if Path(absolute).is_file():
        return f"this is a file; {_FILES}"
    near = difflib.get_close_matches(
        Path(absolute).name, [file.stem for file in Path(absolute).parent.glob("*.index")], n=1, cutoff=0.3
    )
    return f"{_FILES}; the nearest there is {near[0]}" if near else _FILES


def _within(folder: Path, where: str) -> str:
    """What to write in the place of a folder: of its files one that is called as those of the field are."""
    wanted = ".pbtxt" if where.endswith("label_map_path") else "record"
    try:
        names = sorted(file.name for file in folder.iterdir() if file.is_file() and wanted in file.name)
    except OSError:
        names = []
    return f"name a file in it, such as {folder / names[0]}" if names else "name a file"


def _beside(absolute: str) -> str:
    """What lies in the folder under a name like it."""
    folder = Path(absolute).parent
    if is_remote(absolute) or not folder.is_dir():
        return ""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 (names are wanted)
    except OSError:
        return ""
    near = difflib.get_close_matches(Path(absolute).name, names, n=1)
    return f"; the nearest there is {near[0]}" if near else ""
