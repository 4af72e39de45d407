"""TFRecords already made, to be split, sharded, cut or shrunk anew.

Classes are their texts, or those of a label map beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Annotations
from boxtune.data.formats.source import Source, split_of
from boxtune.data.label_maps import read_numbers
from boxtune.data.published import LABEL_MAP
from boxtune.errors import AnnotationsError
from trial_entry.errors import DataError
from trial_entry.records.detection_example import DetectionExample, read_detection_example
from trial_entry.records.examples import decode_example
from trial_entry.records.label_map import LabelMap
from trial_entry.records.tfrecord import read_record, record_offsets

NAME = "TFRecord"
_NOT_RECORDS = frozenset((".json", ".pbtxt", ".csv", ".txt", ".config", ".yaml", ".yml", ".md", ".html", ".png"))


def read(source: Source) -> Annotations:
    """Every record, in the split that its file's name says."""
    files = _files(source.annotations)
    beside = files[0].parent / LABEL_MAP
    numbers = read_numbers(beside) if beside.is_file() else {}
    classes = sorted(numbers, key=lambda name: numbers[name])
    labels = LabelMap({number: name for name, number in numbers.items()})
    return Annotations(NAME, files, _images(source, files, labels), classes, written="corners")


def _files(given: Path) -> list[Path]:
    if given.is_dir():
        files = [each for each in sorted(given.iterdir()) if each.is_file() and each.suffix not in _NOT_RECORDS]
    else:
        files = [given] if given.is_file() else sorted(given.parent.glob(given.name))
    if not files:
        raise AnnotationsError(f"{given}: no record file")
    return files


def _images(source: Source, files: list[Path], labels: LabelMap) -> Iterator[AnnotatedImage]:
    names: set[str] = set()
    for file in files:
        shown = source.shown(file)
        try:
            for number, offset in enumerate(record_offsets(file)):
                place = f"{shown}: record {number}"
                features = decode_example(read_record(file, offset), place)
                yield _image(file, offset, read_detection_example(features, labels, place), place, names)
        except DataError as error:
            raise AnnotationsError(str(error)) from None


def _image(file: Path, offset: int, example: DetectionExample, place: str, names: set[str]) -> AnnotatedImage:
    name = example.filename or example.source_id or f"{file.name}-{offset}"
    if name in names:  # records of two sources that were put together
        name = f"{file.name}-{offset}/{name}"
    names.add(name)
    objects = []
    for index, each in enumerate(example.objects):
        where = f"{place}: object {index}"
        if not each.text:
            raise AnnotationsError(f"{where}: class {each.label} has no name; lay the {LABEL_MAP} beside the records")
        objects.append(
            AnnotatedObject(
                each.text,
                (each.xmin, each.ymin, each.xmax, each.ymax),
                where,
                is_crowd=each.is_crowd,
                difficult=each.difficult,
                truncated=each.truncated,
                group_of=each.group_of,
            )
        )
    return AnnotatedImage(
        name, file, place, None, tuple(objects), shares=True, split=split_of(file.name), offset=offset
    )
