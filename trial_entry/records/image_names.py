"""Records' names of images: the source_id by which an evaluation tells them apart, and the file that each was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from trial_entry.records.examples import parse_example
from trial_entry.records.features import FILENAME, SOURCE_ID, typed_features
from trial_entry.records.tfrecord import read_records


def image_names(files: Iterable[Path]) -> Iterator[tuple[bytes, str]]:
    """(source_id, name) of every image; the name is its file's, or else its source_id, and may be empty.

    Raises:
        DataError: a record cannot be read.
    """
    for file in files:
        for number, data in enumerate(read_records(file)):
            features, _ = typed_features(parse_example(data, f"{file}: record {number}"))
            source = features.first(SOURCE_ID)
            yield source, (features.first(FILENAME) or source).decode("utf-8", "replace")
