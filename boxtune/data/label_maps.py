"""Data's classes: the label map that is written, and one that is kept to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from boxtune.errors import AnnotationsError
from trial_entry.errors import RequestError
from trial_entry.records.label_map import read_label_map


def label_map_text(numbers: Mapping[str, int]) -> str:
    """The label map of classes by number, in protobuf's text format."""
    items = (f'item {{\n  id: {number}\n  name: "{_escaped(name)}"\n}}\n' for name, number in numbers.items())
    return "".join(items)


def read_numbers(path: Path) -> dict[str, int]:
    """Number by name of a label map.

    Raises:
        AnnotationsError: unreadable, no label map, or two classes of one name.
    """
    try:
        labels = read_label_map(path).labels
    except RequestError as error:
        raise AnnotationsError(str(error)) from None
    numbers = {name: number for number, name in labels.items()}
    if len(numbers) < len(labels):
        raise AnnotationsError(f"{path}: two classes have one name; a class is looked up by it")
    return numbers


def numbered(classes: Sequence[str], given: dict[str, int], where: str) -> dict[str, int]:
    """Number by class: 1, 2, … in order; or those of a given label map, which must have every class.

    Raises:
        AnnotationsError: a class is not in the given label map.
    """
    if not given:
        return {name: number for number, name in enumerate(classes, 1)}
    if strangers := [name for name in classes if name not in given]:
        raise AnnotationsError(f"{where}: class {strangers[0]} is not in the label map, which has {', '.join(given)}")
    return given


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')
