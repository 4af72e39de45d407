"""Data's record files: what RECORDS on a command line stand for, by split, with the label map that belongs to them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from boxtune.data.importing.splitting import ALL_SPLITS
from boxtune.data.published import LABEL_MAP
from boxtune.errors import InputError
from trial_entry.errors import RequestError
from trial_entry.records.detection_example import DetectionExample, read_detection_example
from trial_entry.records.examples import decode_example
from trial_entry.records.label_map import LabelMap, read_label_map
from trial_entry.records.tfrecord import read_record, read_records, record_offsets
from trial_entry.storage.buckets import local_selection
from trial_entry.storage.paths import is_file, is_pattern, local_file, matching
from trial_entry.storage.urls import is_remote

_SHARD = re.compile(r"[-_.]?\d{5}-of-\d{5}")
_ENDING = re.compile(r"\.(tf)?records?$")
_OTHER = "records"  # the split of a file whose name says none


@dataclass(frozen=True)
class RecordFiles:
    """Records that were named together.

    Attributes:
        splits: the files of each split, in order; the split is a file's name without shard and ending.
        labels: the label map; empty where there is none, and then a class is what the records call it.
    """

    splits: Mapping[str, Sequence[Path]]
    labels: LabelMap


@dataclass(frozen=True)
class Place:
    """Where one record lies.

    Attributes:
        split: its split.
        file: its file.
        number: of the record in the file, from 0.
    """

    split: str
    file: Path
    number: int

    def __str__(self) -> str:
        return f"{self.file}: record {self.number}"


def find_records(named: Sequence[str], label_map: Path | None = None) -> RecordFiles:
    """The record files that `named` stands for: files, patterns, folders, each of this machine or in a bucket.

    Without `label_map` the one beside the first file is taken, if there is one.

    Raises:
        InputError: a name stands for no record file, or the label map cannot be read.
    """
    splits: dict[str, list[Path]] = {}
    try:
        files = [local_file(file) for name in named for file in _files(_here(name))]
        for file in dict.fromkeys(files):
            splits.setdefault(file_split(file.name), []).append(file)
        beside = label_map or files[0].parent / LABEL_MAP
        labels = read_label_map(beside) if label_map or beside.is_file() else LabelMap({})
    except RequestError as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from None
    known = [split for split in ALL_SPLITS if split in splits]  # training first, as people think of them
    return RecordFiles({split: splits[split] for split in dict.fromkeys((*known, *splits))}, labels)


def file_split(name: str) -> str:
    """The split by a file's name: `train` of train-00000-of-00010, train.record and train.tfrecord-00000-of-00010."""
    return _ENDING.sub("", _SHARD.sub("", name)) or _OTHER


def read_all(records: RecordFiles) -> Iterator[tuple[Place, DetectionExample]]:
    """Every record with its place, one at a time.

    Raises:
        InputError: a record is corrupt, or no image with objects.
    """
    for split, files in records.splits.items():
        for file in files:
            yield from read_file(split, file, records.labels)


def read_file(split: str, file: Path, labels: LabelMap) -> Iterator[tuple[Place, DetectionExample]]:
    """Every record of one file with its place.

    Raises:
        InputError: as `read_all`.
    """
    try:
        for number, data in enumerate(read_records(file)):
            place = Place(split, file, number)
            yield place, read_detection_example(decode_example(data, str(place)), labels, str(place))
    except RequestError as error:
        raise InputError(str(error)) from None


def read_some(file: Path, numbers: Collection[int], labels: LabelMap) -> Iterator[tuple[int, DetectionExample]]:
    """The records of one file that have these numbers, each with it; the others are not read.

    Raises:
        InputError: as `read_all`.
    """
    try:
        for number, offset in enumerate(record_offsets(file)):
            if number in numbers:
                where = f"{file}: record {number}"
                features = decode_example(read_record(file, offset), where)
                yield number, read_detection_example(features, labels, where)
    except RequestError as error:
        raise InputError(str(error)) from None


def _here(name: str) -> str:
    """The name itself; of gs:// that of a copy of the records, with their label map, in a folder of this machine."""
    if not is_remote(name):
        return name
    if name.endswith("/") or not (is_pattern(name) or is_file(name)):
        return str(
            local_selection(name, lambda each, size: "/" not in each and (_is_record(each) or each == LABEL_MAP))
        )
    folder, _, own = name.rpartition("/")
    if is_pattern(folder):
        return name
    return str(local_selection(folder, lambda each, size: each == LABEL_MAP or fnmatchcase(each, own)) / own)


def _files(name: str) -> list[str]:
    folder = Path(name)
    if folder.is_dir():
        found = [str(each) for each in sorted(folder.iterdir()) if each.is_file() and _is_record(each.name)]
        if not found:
            raise InputError(f"{name}: no record file in this folder (train-00000-of-00010, train.record)")
        return found
    if is_file(name):
        return [name]
    found = matching(name) if is_pattern(name) else []
    if not found:
        raise InputError(f"{name}: no such record file" if not is_pattern(name) else f"{name}: no file matches")
    return found


def _is_record(name: str) -> bool:
    return _SHARD.search(name) is not None or _ENDING.search(name) is not None
