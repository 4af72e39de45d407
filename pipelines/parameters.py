"""A pipeline's parameters: names, types, defaults, what they are; and values for them out of texts."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Value
from kfp.pipeline_spec.pipeline_spec_pb2 import ComponentInputsSpec, ParameterType

from boxtune.errors import InputError
from pipelines.pipelines import make
from pipelines.placement import Placement

_TYPES: Mapping[int, type] = {
    ParameterType.STRING: str,
    ParameterType.NUMBER_INTEGER: int,
    ParameterType.NUMBER_DOUBLE: float,
    ParameterType.BOOLEAN: bool,
    ParameterType.LIST: list,
    ParameterType.STRUCT: dict,
}
_WANTED: Mapping[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: 'a list as JSON, such as ["a", "b"]',
    dict: 'an object as JSON, such as {"key": "value"}',
}

_COUNT = re.compile(r"[1-9]\d{0,3}")
_QUANTITY = re.compile(r"[1-9]\d*(\.\d+)?([KMGT]i?)?")


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        name: its name.
        type: str, int, float, bool, list or dict.
        default: where it need not be given; None where it must be.
        about: a sentence.
    """

    name: str
    type: type
    default: object
    about: str


def parameters(pipeline: str) -> list[Parameter]:
    """Those of a pipeline, what must be given first.

    Raises:
        InputError: there is no such pipeline.
    """
    inputs = make(pipeline, Placement()).pipeline_spec.root.input_definitions.parameters
    found = [_parameter(name, given) for name, given in inputs.items()]
    return sorted(found, key=lambda each: (each.default is not None, each.name))


def arguments(pipeline: str, given: Sequence[str]) -> dict[str, object]:
    """Values by name, of `NAME=VALUE` texts.

    Raises:
        InputError: a text is not of that form, names no parameter of this pipeline, or has no value of its type.
    """
    known = {each.name: each for each in parameters(pipeline)}
    values: dict[str, object] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError(f'"{text}": write NAME=VALUE')
        if name not in known:
            near = next(iter(difflib.get_close_matches(name, known, 1)), None)
            hint = f"; did you mean {near}?" if near else f"; there are {', '.join(known)}"
            raise InputError(f"{name}: the pipeline {pipeline} has no such parameter{hint}")
        values[name] = _value(known[name], value)
        _refuse_unschedulable(name, values[name])
    return values


def refuse_missing(pipeline: str, given: Mapping[str, object]) -> None:
    """Raises InputError where a parameter that must be given is not."""
    missing = [each for each in parameters(pipeline) if each.default is None and not given.get(each.name)]
    if missing:
        raise InputError(f"{missing[0].name}: must be given for {pipeline}: {missing[0].about}")


def _refuse_unschedulable(name: str, value: object) -> None:
    """What KFP's driver would stumble over, late and without saying why.

    Raises:
        InputError: it would.
    """
    if name in ("gpus", "search_gpus") and not (value == "" or _COUNT.fullmatch(str(value))):
        raise InputError(f'{name}: "{value}" must be a number from 1, or empty for none')
    if name == "memory" and not _QUANTITY.fullmatch(str(value)):
        raise InputError(f'{name}: "{value}" must be an amount of memory, such as 8Gi')
    if name == "tolerations" and not all(isinstance(each, dict) for each in _items(value)):
        raise InputError(
            f'{name}: must be a list of tolerations, such as [{{"key": "nvidia.com/gpu", "operator": "Exists"}}]'
        )
    if name == "node_selector" and not all(isinstance(each, str) for each in _values(value)):
        raise InputError(f'{name}: must have texts as values, such as {{"pool": "gpus"}}')


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _values(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else []


def _parameter(name: str, given: ComponentInputsSpec.ParameterSpec) -> Parameter:
    kind = _TYPES[given.parameter_type]
    default = _plain(given.default_value, kind) if given.HasField("default_value") else None
    return Parameter(name, kind, default, given.description)


def _plain(value: Value, kind: type) -> object:
    """A protobuf value as Python's; whole numbers are kept as floats there."""
    return int(value.number_value) if kind is int else MessageToDict(value)


def _value(parameter: Parameter, text: str) -> object:
    if parameter.type is str:
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    wanted = (int, float) if parameter.type is float else parameter.type
    if not isinstance(value, wanted) or (isinstance(value, bool) and parameter.type is not bool):
        raise InputError(f'{parameter.name}: "{text}" must be {_WANTED[parameter.type]}')
    return value
