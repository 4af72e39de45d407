"""A config with one thing changed: each block left out or swapped, each field of its model at its ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

_ROOTS = (("model",), ("train_config", "optimizer"))
Path = tuple[str | int, ...]
_NUMBERS = (
    FieldDescriptor.CPPTYPE_FLOAT,
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_INT64,
)


def mutations(config: TrainEvalPipelineConfig) -> Iterator[tuple[str, TrainEvalPipelineConfig]]:
    """What is changed, and the config with it."""
    for path, message in list(_messages(config, ())):
        if not any(path[: len(root)] == root for root in _ROOTS):
            continue
        for field in message.DESCRIPTOR.fields:
            name = ".".join(map(str, (*path, field.name)))
            for said, change in _changes(message, field):
                changed = TrainEvalPipelineConfig()
                changed.CopyFrom(config)
                change(_at(changed, path))
                yield f"{said} {name}", changed


def _messages(message: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, message
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for number, inner in enumerate(value) if field.is_repeated else [(None, value)]:
            yield from _messages(inner, (*path, field.name) if number is None else (*path, field.name, number))


def _at(message: Any, path: Path) -> Any:
    for step in path:
        message = message[step] if isinstance(step, int) else getattr(message, step)
    return message


def _changes(message: Any, field: Any) -> Iterator[tuple[str, Any]]:
    """What is done to one field, in a word, and the function that does it."""
    name, held = field.name, getattr(message, field.name)
    is_set = bool(len(held)) if field.is_repeated else message.HasField(name)
    if is_set:
        yield "drop", lambda inner: inner.ClearField(name)
    if field.is_repeated:
        if is_set and field.cpp_type in _NUMBERS:
            yield "shorter", lambda inner: getattr(inner, name).pop()
            yield "longer", lambda inner: getattr(inner, name).append(held[-1])
        return
    if field.message_type is not None:
        if not is_set and not field.message_type.GetOptions().map_entry:
            yield "add", lambda inner: getattr(inner, name).SetInParent()
        return
    if field.containing_oneof is not None and not is_set and len(field.containing_oneof.fields) > 1:
        return
    for value in _values(field, is_set):
        if value != held:
            yield f"{value}", lambda inner, value=value: setattr(inner, name, value)


def _values(field: Any, is_set: bool) -> tuple[object, ...]:
    if field.enum_type is not None:
        return tuple(value.number for value in field.enum_type.values)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return (True, False)
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return ("x",) if is_set else ()
    return (0,)
