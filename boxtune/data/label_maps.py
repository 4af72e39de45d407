"""Data's classes: the label map that is written, and one that was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from boxtune.errors import AnnotationsError
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.protos import StringIntLabelMap
from trial_entry.pipeline_config.text import parse_text


def label_map_text(numbers: Mapping[str, int]) -> str:
    """The label map of classes by number, in protobuf's text format."""
    items = (f'item {{\n  id: {number}\n  name: "{_escaped(name)}"\n}}\n' for name, number in numbers.items())
    return "".join(items)


def read_numbers(path: Path) -> dict[str, int]:
    """Number by name of a label map that is to be kept to.

    Raises:
        AnnotationsError: unreadable, no label map, or a name or number twice.
    """
    message = StringIntLabelMap()
    try:
        parse_text(path.read_text(encoding="utf-8-sig"), message, str(path))
    except OSError as error:
        raise AnnotationsError(f"{path}: cannot be read: {error.strerror}") from None
    except (RequestError, UnicodeDecodeError) as error:
        raise AnnotationsError(f"{path}: no label map: {error}") from None
    numbers = {item.name or item.display_name: item.id for item in message.item if item.id > 0}
    if len(set(numbers.values())) != len([item for item in message.item if item.id > 0]) or not numbers:
        raise AnnotationsError(f"{path}: a label map has each name and each id from 1 on once")
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
