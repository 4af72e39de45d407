"""Formats by name, and which one a file or folder is of, found by looking."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

from boxtune.data.annotations import Annotations
from boxtune.data.formats import csv_table
from boxtune.data.formats.json_files import top
from boxtune.data.formats.source import Source
from boxtune.data.formats.xml_files import read_xml
from boxtune.data.formats.yolo_layout import CLASS_LISTS
from boxtune.errors import AnnotationsError, InputError

# `--format NAME`: boxtune/data/formats/MODULE.py has `read`.
FORMATS = {
    "coco": "coco",
    "voc": "voc",
    "yolo": "yolo",
    "csv": "csv_table",
    "cvat": "cvat",
    "labelstudio": "label_studio",
    "labelme": "labelme",
    "tfrecord": "tfrecord",
}
_YOLO_FILES = ("data.yaml", "dataset.yaml", "obj.data", *CLASS_LISTS)
_OF_COCO = frozenset(("images", "annotations", "categories", "info", "licenses"))
_OF_LABELME = frozenset(("shapes", "imagePath", "imageData", "imageHeight", "imageWidth"))
_RECORD_NAMES = (".record", ".tfrecord", ".tfrecords", ".records")


def read_annotations(source: Source, name: str) -> Annotations:
    """The annotations of a source, in the format of a name, or of what it looks like where that is empty.

    Raises:
        InputError: no such format.
        AnnotationsError: it looks like none of them, or is not there.
    """
    if name and name not in FORMATS:
        raise InputError(f'--format "{name}": one of {", ".join(FORMATS)}')
    if source.group_column and (name or format_of(source.annotations)) != "csv":
        raise InputError(f"--group column:{source.group_column}: only a CSV has columns")
    module = importlib.import_module(f"boxtune.data.formats.{FORMATS[name or format_of(source.annotations)]}")
    found: Annotations = module.read(source)
    return found


def format_of(path: Path) -> str:
    """The format of a file, folder or pattern of record files.

    Raises:
        AnnotationsError: it is not there, or none.
    """
    try:
        if path.is_dir():
            return _folder_format(path)
        if path.is_file():
            return _file_format(path)
    except OSError as error:
        raise AnnotationsError(f"{path}: cannot be read: {error.strerror}") from None
    if any(path.parent.glob(path.name)):
        return "tfrecord"
    raise AnnotationsError(f"{path}: no such file or folder")


def _file_format(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _json_format(path)
    if suffix == ".xml":
        return _xml_format(path)
    if suffix in (".yaml", ".yml", ".data"):
        return "yolo"
    if suffix in (".csv", ".tsv") or (suffix == ".txt" and csv_table.looks_alike(path)):
        return "csv"
    if is_record_name(path.name):
        return "tfrecord"
    raise AnnotationsError(f"{path}: looks like none of {', '.join(FORMATS)}; say which with --format")


def is_record_name(name: str) -> bool:
    """Whether files of this name are TFRecords by the habits of the field: `a.record`, `train-00000-of-00010`."""
    return any(each in name for each in _RECORD_NAMES) or "-of-0" in name


def _json_format(path: Path) -> str:
    kind, keys = top(path, path.name, _OF_COCO | _OF_LABELME)
    if kind == "map":
        return "labelme" if _OF_LABELME & set(keys) else "coco"
    if kind == "array" and {"image", "annotations"} <= set(keys) and "data" not in keys:
        raise AnnotationsError(f"{path.name}: CreateML's JSON, which is not read; export the data as COCO")
    if kind == "array" and ({"data", "image", "file_upload"} & set(keys)) and "image_id" not in keys:
        return "labelstudio"
    return "coco"  # its reader says what is wrong


def _xml_format(path: Path) -> str:
    return "cvat" if read_xml_tag(path) == "annotations" else "voc"


def read_xml_tag(path: Path) -> str:
    """The tag of a file's root; empty where that cannot be read: its reader says why."""
    try:
        return read_xml(path, path.name).tag
    except AnnotationsError:
        return ""


def _folder_format(folder: Path) -> str:
    if found := next((name for name, looks in _LOOKS.items() if looks(folder)), ""):
        return found
    for pattern, look in (("*.json", _json_format), ("*.xml", _xml_format)):
        if (file := next(iter(sorted(folder.rglob(pattern))), None)) is not None:
            return look(file)
    if (table := next(iter(sorted(folder.glob("*.csv"))), None)) is not None:
        raise AnnotationsError(f"{folder}: holds tables; name one, such as {table}")
    raise AnnotationsError(
        f"{folder}: looks like none of {', '.join(FORMATS)}: no data.yaml or classes.txt, no XML, no JSON, no TFRecord"
    )


# What of a folder's own files says the format, the surest first.
_LOOKS: Mapping[str, Callable[[Path], bool]] = {
    "yolo": lambda folder: any((folder / name).is_file() for name in _YOLO_FILES),
    "voc": lambda folder: (folder / "Annotations").is_dir(),
    "tfrecord": lambda folder: any(is_record_name(path.name) for path in folder.iterdir() if path.is_file()),
    "coco": lambda folder: any(folder.glob("*/_annotations.coco.json")),
}
