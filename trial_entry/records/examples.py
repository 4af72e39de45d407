"""`tf.train.Example` messages without TensorFlow.

The three messages of `tensorflow/core/example/feature.proto` are declared here in a descriptor pool of their
own: in protobuf's default pool they would collide with TensorFlow's once it is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from trial_entry.errors import DataError

_FEATURE_LISTS = 2  # of SequenceExample

_FIELDS = {  # message: (field, number, type, message type, repeated)
    "BytesList": (("value", 1, "TYPE_BYTES", "", True),),
    "FloatList": (("value", 1, "TYPE_FLOAT", "", True),),
    "Int64List": (("value", 1, "TYPE_INT64", "", True),),
    "Feature": (
        ("bytes_list", 1, "TYPE_MESSAGE", "BytesList", False),
        ("float_list", 2, "TYPE_MESSAGE", "FloatList", False),
        ("int64_list", 3, "TYPE_MESSAGE", "Int64List", False),
    ),
    "Features": (("feature", 1, "TYPE_MESSAGE", "Features.FeatureEntry", True),),
    "Features.FeatureEntry": (("key", 1, "TYPE_STRING", "", False), ("value", 2, "TYPE_MESSAGE", "Feature", False)),
    "Example": (("features", 1, "TYPE_MESSAGE", "Features", False),),
}


class FeatureMessage(Protocol):
    """One feature of an Example: its list is the attribute that `WhichOneof("kind")` names."""

    def WhichOneof(self, oneof_group: str) -> str | None:  # noqa: N802 (protobuf's name)
        """`bytes_list`, `float_list` or `int64_list`; None where the feature has none of them."""


class FeaturesMessage(Protocol):
    """The features of an Example, by name."""

    @property
    def feature(self) -> Mapping[str, FeatureMessage]:
        """Themselves."""


class ExampleMessage(Protocol):
    """An Example."""

    @property
    def features(self) -> FeaturesMessage:
        """What it holds."""


def _example_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="boxtune/example.proto", package="tensorflow", syntax="proto3")
    for name, fields in _FIELDS.items():
        outer, _, nested = name.partition(".")
        messages = next(m for m in file.message_type if m.name == outer).nested_type if nested else file.message_type
        message = messages.add(name=nested or outer)
        message.options.map_entry = bool(nested)
        if name == "Feature":
            message.oneof_decl.add(name="kind")
        for field, number, kind, of, repeated in fields:
            added = message.field.add(name=field, number=number)
            added.type = descriptor_pb2.FieldDescriptorProto.Type.Value(kind)
            added.label = descriptor_pb2.FieldDescriptorProto.Label.Value(
                "LABEL_REPEATED" if repeated else "LABEL_OPTIONAL"
            )
            if of:
                added.type_name = f".tensorflow.{of}"
            if name == "Feature":
                added.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


Example = _example_class()


def encode_example(features: Mapping[str, bytes | Sequence[bytes] | Sequence[float] | Sequence[int]]) -> bytes:
    """A serialized Example; a feature's type follows from its values (bytes, float or int).

    An empty sequence is written as floats, the type of box coordinates.
    """
    example = Example()
    for name, values in features.items():
        feature = example.features.feature[name]
        items = [values] if isinstance(values, bytes) else list(values)
        if items and isinstance(items[0], bytes):
            feature.bytes_list.value.extend(items)
        elif items and isinstance(items[0], int):
            feature.int64_list.value.extend(items)
        else:
            feature.float_list.value.extend(items)
    return bytes(example.SerializeToString(deterministic=True))


def parse_example(data: bytes, where: str) -> ExampleMessage:
    """The Example itself, whose features know their types even where they are empty.

    Raises:
        DataError: `data` is no Example.
    """
    try:
        parsed: ExampleMessage = Example.FromString(data)
    except DecodeError:
        raise DataError(f"{where}: not a tf.train.Example") from None
    return parsed


def is_sequence_example(example: ExampleMessage) -> bool:
    """Whether it was a tf.train.SequenceExample, whose lists of frames stand in a field that an Example has not."""
    return any(field.field_number == _FEATURE_LISTS for field in UnknownFieldSet(example))  # type: ignore[attr-defined, arg-type]


def decode_example(data: bytes, where: str) -> dict[str, list[Any]]:
    """The features of a serialized Example, by name.

    Raises:
        DataError: `data` is no Example.
    """
    return {
        name: list(getattr(feature, kind).value) if (kind := feature.WhichOneof("kind")) else []
        for name, feature in parse_example(data, where).features.feature.items()
    }
