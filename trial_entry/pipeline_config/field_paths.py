"""Addressing one field of a config: `model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios.0`.

The names are the proto's own; an element of a repeated field is its number. A path into a member of a oneof
that the config does not use (`model.faster_rcnn` in an SSD config) is refused: setting it would silently
throw the other member away.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.meanings import range_of
from trial_entry.pipeline_config.text import nearest
from trial_entry.pipeline_config.values import BOOLEANS

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_FLOAT32_MAX = 3.4028234663852886e38


@dataclass(frozen=True)
class Field:
    """A scalar field, or one element of a repeated one, within one config message.

    Attributes:
        path: the whole path, as given.
        parent: the message that holds the field.
        descriptor: the field's protobuf descriptor.
        index: the element of a repeated field, or None for the field itself.
    """

    path: str
    parent: Any  # a message of whatever type has the field
    descriptor: Any  # protobuf has two types of it
    index: int | None = None

    def value(self) -> Any:
        """The current value (the proto's default where it is not set); a list for a whole repeated field."""
        held = getattr(self.parent, self.descriptor.name)
        if self.descriptor.is_repeated:
            return list(held) if self.index is None else held[self.index]
        return held

    def text(self) -> str:
        """The current value as an assignment would write it."""
        held = self.value()
        return ",".join(self._one_text(item) for item in (held if isinstance(held, list) else [held]))

    def _one_text(self, value: object) -> str:
        if self.descriptor.enum_type is not None:
            return str(self.descriptor.enum_type.values_by_number[value].name)
        if isinstance(value, bool):
            return str(value).lower()
        return shortest(value) if isinstance(value, float) else str(value)

    def set(self, text: str) -> None:
        """Read `text` as this field's type and set it.

        Raises:
            AssignmentError: wrong type, or outside the field's meaning.
        """
        if self.descriptor.is_repeated and self.index is None:
            values = [self._read(item.strip()) for item in text.split(",")] if text else []
            del getattr(self.parent, self.descriptor.name)[:]
            getattr(self.parent, self.descriptor.name).extend(values)
        elif self.descriptor.is_repeated:
            getattr(self.parent, self.descriptor.name)[self.index] = self._read(text)
        else:
            setattr(self.parent, self.descriptor.name, self._read(text))

    def _read(self, text: str) -> object:
        kind = self.descriptor.cpp_type
        if kind == FieldDescriptor.CPPTYPE_STRING:
            return text
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            if text.lower() not in BOOLEANS:
                raise AssignmentError(f'{self.path}: "{text}" is no boolean; write true or false')
            return BOOLEANS[text.lower()]
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            numbers = {value.name: value.number for value in self.descriptor.enum_type.values}
            if text not in numbers:
                raise AssignmentError(f'{self.path}: "{text}" is none of {", ".join(numbers)}')
            return numbers[text]
        value = self._integer(text, kind) if kind in _INTEGERS else self._float(text)
        meaning = range_of(self.descriptor)
        if meaning is not None and value not in meaning:
            raise AssignmentError(f"{self.path}: {text} is out of range; it must be {meaning}")
        return value

    def _integer(self, text: str, kind: int) -> int:
        try:
            number = Decimal(text)
            whole = number == number.to_integral_value()
        except (InvalidOperation, ValueError):
            whole = False
        if not whole:
            raise AssignmentError(f'{self.path}: "{text}" is no whole number') from None
        low, high = _INTEGERS[kind]
        if not low <= number <= high:
            raise AssignmentError(f"{self.path}: {text} is out of range; it must be from {low} to {high}")
        return int(number)

    def _float(self, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise AssignmentError(f'{self.path}: "{text}" is no number') from None
        if not math.isfinite(value) or abs(value) > _FLOAT32_MAX:
            raise AssignmentError(f"{self.path}: {text} is no finite 32-bit number")
        return value


def shortest(value: float) -> str:
    """The shortest text that reads back as the same 32-bit float: 0.6, not 0.6000000238418579."""
    packed = struct.pack("f", value)
    return next(
        (text for digits in range(6, 9) if struct.pack("f", float(text := f"{value:.{digits}g}")) == packed),
        f"{value:.9g}",
    )


def find_field(config: Message, path: str) -> Field:
    """The field of `config` that `path` names.

    Raises:
        AssignmentError: no such field (the nearest right name is given), a message where a value is asked for,
            or a oneof member that this config does not use.
    """
    message, walked = config, ""
    parts = path.split(".")
    position = 0
    while True:
        part = parts[position]
        descriptor = message.DESCRIPTOR.fields_by_name.get(part)
        where = walked or "the config"
        if descriptor is None:
            known = [field.name for field in message.DESCRIPTOR.fields]
            raise AssignmentError(f'{path}: {where} has no field "{part}"; {nearest(part, known)}')
        _refuse_other_member(message, descriptor, path, where)
        walked = f"{walked}.{part}" if walked else part
        position += 1
        index = None
        if descriptor.is_repeated and position < len(parts):
            index = _index(parts[position], len(getattr(message, part)), path, walked)
            walked = f"{walked}.{parts[position]}"
            position += 1
        if descriptor.message_type is None:
            if position < len(parts):
                raise AssignmentError(f"{path}: {walked} is a value and has no fields")
            return Field(path, message, descriptor, index)
        if position == len(parts) or descriptor.message_type.GetOptions().map_entry:
            inner = [field.name for field in descriptor.message_type.fields]
            raise AssignmentError(
                f"{path}: {walked} is no single value; name a field in it: {', '.join(inner) or 'none'}"
            )
        message = getattr(message, part) if index is None else getattr(message, part)[index]


def _refuse_other_member(message: Message, descriptor: Any, path: str, where: str) -> None:
    oneof = descriptor.containing_oneof
    used = message.WhichOneof(oneof.name) if oneof is not None else None
    if used is not None and used != descriptor.name:
        raise AssignmentError(f'{path}: {where} uses "{used}", not "{descriptor.name}"; set a field of {used}')


def _index(text: str, length: int, path: str, walked: str) -> int:
    if not text.isdecimal():
        raise AssignmentError(f'{path}: {walked} is a list; "{text}" is no element number (the first is 0)')
    if int(text) >= length:
        raise AssignmentError(f"{path}: {walked} has {length} elements; the last is {length - 1}")
    return int(text)
