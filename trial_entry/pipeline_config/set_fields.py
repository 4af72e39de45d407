"""The fields that a config sets, in their order, each with its path."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message


class SetField(NamedTuple):
    """One field that is set.

    Attributes:
        path: such as `train_config.optimizer.adam_optimizer`.
        message: that has it.
        descriptor: of the field.
        value: a container of all elements where the field is repeated.
    """

    path: str
    message: Message
    descriptor: FieldDescriptor
    value: Any

    @property
    def name(self) -> str:
        """As `Message.field`, whatever message holds the message."""
        return f"{self.message.DESCRIPTOR.name}.{self.descriptor.name}"


def set_fields(message: Message, path: str = "", closed: Container[str] = ()) -> Iterator[SetField]:
    """Every field that is set in a message, and then in those that it holds; a map is one field.

    Args:
        path: of the message; empty for the whole.
        closed: `Message.field` of those whose inside is not looked at.
    """
    for descriptor, value in message.ListFields():
        found = SetField(f"{path}.{descriptor.name}" if path else descriptor.name, message, descriptor, value)
        yield found
        inner = descriptor.message_type
        if inner is None or inner.GetOptions().map_entry or found.name in closed:
            continue
        if descriptor.is_repeated:
            for number, item in enumerate(value):
                yield from set_fields(item, f"{found.path}.{number}", closed)
        else:
            yield from set_fields(value, found.path, closed)
