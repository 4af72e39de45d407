"""What of a config can be assigned: its aliases, and every field path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.aliases import ALIASES
from trial_entry.pipeline_config.aliases.alias import Alias, Feasible
from trial_entry.pipeline_config.aliases.augmentation import augmentation, augmentation_names
from trial_entry.pipeline_config.field_paths import Field
from trial_entry.pipeline_config.meanings import range_of
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

_TEXTS = ("model", "fine_tune_checkpoint")
_TYPES = {
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
    FieldDescriptor.CPPTYPE_STRING: "text",
    FieldDescriptor.CPPTYPE_FLOAT: "number",
    FieldDescriptor.CPPTYPE_DOUBLE: "number",
}


@dataclass(frozen=True)
class Assignable:
    """Something that an assignment can set in one config.

    Attributes:
        name: what stands before the `=`.
        meaning: one line for people, empty for a plain field.
        field: the path of the field that it sets.
        kind: the type of its value, in words.
        current: the value now, as an assignment would write it, or None.
        feasible: what is sane to try, or None.
    """

    name: str
    meaning: str
    field: str
    kind: str
    current: str | None
    feasible: Feasible | None


def assignable_aliases(config: TrainEvalPipelineConfig) -> list[Assignable]:
    """Every alias that this config has; of the augmentations those that are on, then those that can be added."""
    used = {step.WhichOneof("preprocessing_step") for step in config.train_config.data_augmentation_options}
    steps = [augmentation(name) for name in sorted(augmentation_names(), key=lambda name: name not in used)]
    found = []
    for alias in (*ALIASES.values(), *steps):
        try:
            found.append(assignable(config, alias))
        except AssignmentError:
            continue  # this config has no such field
    return found


def assignable(config: TrainEvalPipelineConfig, alias: Alias) -> Assignable:
    """One alias in this config.

    Raises:
        AssignmentError: the config has no such field; what it has instead.
    """
    field, feasible = alias.field(config), alias.feasible(config)
    kind = feasible.parameter_type if feasible is not None else "text" if alias.name in _TEXTS else "number"
    return Assignable(alias.name, alias.meaning, field, kind, alias.current(config), feasible)


def assignable_fields(config: TrainEvalPipelineConfig) -> list[Assignable]:
    """Every field of every message that the config holds, set or not, by its path."""
    return [_field(field) for field in _fields(config, "")]


def _fields(message: Message, path: str) -> Iterator[Field]:
    for descriptor in message.DESCRIPTOR.fields:
        where = f"{path}{descriptor.name}"
        if descriptor.message_type is None:
            if descriptor.containing_oneof is None or message.HasField(descriptor.name):
                yield Field(where, message, descriptor)
        elif descriptor.message_type.GetOptions().map_entry:
            continue
        elif descriptor.is_repeated:
            for number, inner in enumerate(getattr(message, descriptor.name)):
                yield from _fields(inner, f"{where}.{number}.")
        elif message.HasField(descriptor.name):
            yield from _fields(getattr(message, descriptor.name), f"{where}.")


def _field(field: Field) -> Assignable:
    descriptor = field.descriptor
    if descriptor.enum_type is not None:
        kind = ", ".join(value.name for value in descriptor.enum_type.values)
    else:
        kind = _TYPES.get(descriptor.cpp_type, "whole number")
    meaning = range_of(descriptor)
    kind = f"{kind} {meaning}" if meaning is not None else kind
    return Assignable(
        field.path, "", field.path, f"list of: {kind}" if descriptor.is_repeated else kind, field.text(), None
    )
