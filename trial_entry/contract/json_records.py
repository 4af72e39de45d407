"""The contract's JSON: frozen dataclasses read from what a file holds, and written to it, by their fields' types.

A key that no field has is left alone, a missing one has its field's default, and a value of another type is an error
with the place where it stands.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from trial_entry.errors import ModelDirError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
_SHOWN = 60  # characters of a wrong value
_KEY = "key"  # in a field's metadata: its name in JSON, where that is another
_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", NoneType: "null"}


def key(name: str) -> dict[str, str]:
    """The metadata of a field that JSON calls `name`."""
    return {_KEY: name}


def from_json(kind: type[R], value: object, where: str) -> R:
    """The record that `value`, which `json` has read, is.

    Args:
        where: the file, for messages.

    Raises:
        ModelDirError: a value has another type than its field, or a field without a default is missing.
    """
    return cast("R", _record(kind, value, where))


def to_json(record: DataclassInstance) -> dict[str, object]:
    """What `from_json` reads; fields that are None where that is their default are left out."""
    found: dict[str, object] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if value is None and field.default is None:
            continue
        found[field.metadata.get(_KEY, field.name)] = _plain(value)
    return found


def read_json(file: Path) -> object:
    """What `file` holds; None where there is no file.

    Raises:
        ModelDirError: it is no JSON.
    """
    try:
        return cast("object", json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:  # no JSON, or no text
        raise ModelDirError(f"{file}: not readable as JSON ({error}); it was damaged, or is another's") from None


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_json(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


@cache
def _types(kind: type) -> dict[str, object]:
    return dict(get_type_hints(kind))


def _record(kind: type[DataclassInstance], value: object, where: str) -> object:
    if not isinstance(value, Mapping):
        raise _wrong(where, value, "an object")
    given: dict[str, object] = {}
    types = _types(kind)
    for field in dataclasses.fields(kind):
        name = field.metadata.get(_KEY, field.name)
        if name in value:
            given[field.name] = _read(types[field.name], value[name], f"{where}: {name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ModelDirError(f"{where}: has no {name}; it was damaged, or is another's")
    return kind(**given)


def _read(kind: object, value: object, where: str) -> object:
    """`value` as the type `kind`: one of _WORDS, a union, tuple[X, ...], Mapping[str, X], object, or a dataclass."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else _read(next(each for each in arguments if each is not NoneType), value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise _wrong(where, value, "a list")
        return tuple(_read(arguments[0], each, f"{where}.{place}") for place, each in enumerate(value))
    if origin is not None:
        if not isinstance(value, Mapping):
            raise _wrong(where, value, "an object")
        return {str(name): _read(arguments[1], each, f"{where}.{name}") for name, each in value.items()}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _record(kind, value, where)
    return _scalar(kind, value, where)


def _scalar(kind: object, value: object, where: str) -> object:
    if kind is object:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, cast("type", kind)) or (kind is not bool and isinstance(value, bool)):
        raise _wrong(where, value, _WORDS[cast("type", kind)])
    return value


def _wrong(where: str, value: object, right: str) -> ModelDirError:
    shown = json.dumps(value, default=repr)
    shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."
    return ModelDirError(f"{where}: {shown} is not {right}; it was damaged, or is another's")
