"""Label maps in other formats than the API's: what they hold, written as the label map that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import yaml

_NAMES = ("name", "display_name", "label", "class", "title")
_IDS = ("id", "class_id", "index", "value")
_LISTS = ("names", "categories", "classes", "labels", "item", "items")  # where formats keep their classes
_MOST = 100  # classes that are written out
_NUMBERED = (
    re.compile(r"(?P<id>\d+)\s*[,;:\t ]\s*(?P<name>[^\d\s,;:].*)"),
    re.compile(r"(?P<name>.*[^\d\s,;:])\s*[,;:\t ]\s*(?P<id>\d+)"),
)
_HEAD = re.compile(rf"(?:\w*_)?(?:{'|'.join((*_NAMES, *_IDS))})(?:\s*[,;:\t ]\s*\w+)+", re.IGNORECASE)  # of a table
_PLACEHOLDERS = ("???", "background", "__background__", "_background_")  # as TFLite's lists and others begin
_PROTO = re.compile(r"\bitem\s*:?\s*\{|^\s*(?:id|name|display_name)\s*:", re.MULTILINE)


def as_label_map(text: str) -> str:
    """The label map, in one line, that a text of another format means; empty where it means none.

    JSON and YAML (lists of names, of objects with id and name, names by number, numbers by name, COCO's categories,
    YOLO's data.yaml), a name a line, CSV with numbers. Numbers from 0 become numbers from 1, as label maps have them.
    """
    if _PROTO.search(text) and not text.lstrip().startswith(("{", "[")):
        return ""  # an attempt at the right format
    classes = list(_structured(text) or _lines(text))
    if not classes or any(not isinstance(name, str) or not name.strip() for _, name in classes):
        return ""
    shift = 1 if min(number for number, _ in classes) == 0 else 0
    items = [f"item {{ id: {number + shift} name: {_quoted(name)} }}" for number, name in classes[:_MOST]]
    return " ".join(items) + (f" … ({len(classes)} in all)" if len(classes) > _MOST else "")


def _structured(text: str) -> list[tuple[int, str]]:
    try:
        loaded = yaml.safe_load(text)  # JSON is YAML too
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    if isinstance(loaded, Mapping):
        loaded = next((loaded[key] for key in _LISTS if isinstance(loaded.get(key), (list, dict))), loaded)
    try:
        return sorted(_classes(loaded))
    except (TypeError, ValueError):
        return []


def _classes(loaded: object) -> Iterator[tuple[int, str]]:
    """Numbers and names; raises TypeError or ValueError where it is none of the known shapes."""
    if isinstance(loaded, Mapping):
        for key, value in loaded.items():
            if isinstance(value, int) and not isinstance(value, bool):
                yield value, str(key)
            else:
                yield int(key), _name_of(value)
    elif isinstance(loaded, Sequence) and not isinstance(loaded, str):
        for place, value in enumerate(loaded, 1):
            numbers = [value[key] for key in _IDS if key in value] if isinstance(value, Mapping) else []
            yield int(numbers[0]) if numbers else place, _name_of(value)
    else:
        raise TypeError(loaded)


def _name_of(value: object) -> str:
    if isinstance(value, Mapping):
        return next(str(value[key]) for key in _NAMES if key in value)
    if isinstance(value, (list, tuple)) or value is None:
        raise TypeError(value)
    return str(value)


def _lines(text: str) -> list[tuple[int, str]]:
    """Of a text that has one class a line."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if any(mark in line for line in lines for mark in "{}[]<>\"'"):
        return []
    if lines and lines[0] in _PLACEHOLDERS:
        lines = lines[1:]  # of class 0, which a label map does not have
    for pattern in _NUMBERED:
        below = lines[1:] if len(lines) > 1 and not pattern.fullmatch(lines[0]) and _HEAD.fullmatch(lines[0]) else lines
        found = [pattern.fullmatch(line) for line in below]
        if all(found):
            return sorted((int(each["id"]), each["name"].strip()) for each in found if each is not None)
    return [] if any(mark in line for line in lines for mark in ":;=") else list(enumerate(lines, 1))


def _quoted(name: str) -> str:
    """The name in the quotes that it leaves free."""
    name = name.strip()
    return f"'{name}'" if '"' in name and "'" not in name else '"' + name.replace('"', '\\"') + '"'
