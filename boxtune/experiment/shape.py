"""Whether a document has the structure that its model describes: types, required fields, unknown ones.

The models are pydantic's of Katib and Kubernetes (`kubeflow-katib-api`). Their own `from_dict` stops at the first
nested fault and forgets where it was; here each level is looked at by itself, so every problem stands at its whole
path.
"""

from __future__ import annotations

import difflib
import json
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Protocol, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from boxtune.experiment.quantities import quantity_problem
from boxtune.problems import JOB_REFUSED, REFUSED, Problem, error

_IGNORED = "the field is ignored"
_SHOWN = 60  # characters of a wrong value
_MUST_BE = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_QUANTITY = "IoK8sApimachineryPkgApiResourceQuantity"


class _Readable(Protocol):
    """What Katib's models offer."""

    @classmethod
    def from_dict(cls, obj: dict[str, Any] | None) -> Self | None:
        """The model of a document's part; None of None."""


Model = TypeVar("Model", bound=_Readable)


def read_model(model: type[Model], raw: Mapping[str, Any]) -> Model:
    """`raw` as `model`; `shape_problems` has found nothing in it."""
    made = model.from_dict(dict(raw))
    assert made is not None  # only None becomes None
    return made


def shape_problems(model: type[BaseModel], raw: object, path: str, unread: str = _IGNORED) -> Iterator[Problem]:
    """What of `raw` does not fit `model`, everything that it holds included.

    Args:
        path: where `raw` stands in the document, empty for the whole.
        unread: what comes of a field on Katib that the model does not have.
    """
    if not isinstance(raw, Mapping):
        yield _wrong(path, "a mapping", raw)
        return
    nested = _nested(model)
    known = [field.alias or name for name, field in model.model_fields.items()]
    for key, value in raw.items():
        if key not in known and value not in (None, {}, []):
            near = difflib.get_close_matches(str(key), known, 1)
            yield error(
                _inside(path, key), "there is no such field", f"the nearest is {near[0]}" if near else "", unread
            )
    yield from _leaf_problems(model, raw, path, nested)
    for key, (container, inner) in nested.items():
        if raw.get(key) is not None:
            yield from _inner_problems(container, inner, raw[key], _inside(path, key), unread)


def _inner_problems(
    container: type | None, model: type[BaseModel], raw: object, path: str, unread: str
) -> Iterator[Problem]:
    """Of a model's field that holds a model, a list of them, or a mapping of them."""
    items: Sequence[tuple[object, object]] = [("", raw)]
    if container is list:
        if not isinstance(raw, list):
            yield _wrong(path, "a list", raw)
            return
        items = list(enumerate(raw))
    elif container is dict:
        if not isinstance(raw, Mapping):
            yield _wrong(path, "a mapping", raw)
            return
        items = list(raw.items())
    for key, item in items:
        where = path if container is None else _inside(path, key)
        if model.__name__ == _QUANTITY:
            problem = quantity_problem(item, where)
            if problem is not None:
                yield problem
        elif "one_of_schemas" not in model.model_fields:  # those are a text or a number
            yield from shape_problems(model, item, where, unread)


def _leaf_problems(
    model: type[BaseModel], raw: Mapping[str, object], path: str, nested: Mapping[str, object]
) -> Iterator[Problem]:
    """Of the fields that hold no model, by pydantic."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    leaves = {key: value for key, value in raw.items() if key in known and key not in nested}
    try:
        model.model_validate(leaves)
    except ValidationError as wrong:
        said: set[str] = set()
        for each in wrong.errors():
            place, value = _place(each["loc"], leaves)
            if each["type"] == "missing" and raw.get(str(each["loc"][0])) is not None:
                continue  # a nested model, looked at by itself
            where = ".".join([*([path] if path else []), *map(str, place)])
            if where not in said:  # a union complains once for each of its types
                said.add(where)
                yield _leaf_problem(where, each["type"], each["msg"], value)


def _leaf_problem(path: str, kind: str, message: str, value: object) -> Problem:
    """A problem of pydantic's, by its kind and message."""
    if kind == "missing":
        return error(path, "must be given", "", REFUSED)
    if kind in _MUST_BE:
        return _wrong(path, _MUST_BE[kind], value)
    # Katib's own type is a text without a choice; the API server knows the choice.
    return error(path, f"{message.removeprefix('Value error, ')}, not {_shown(value)}", "", JOB_REFUSED)


def _wrong(path: str, wanted: str, value: object) -> Problem:
    hint = ""
    if wanted == "a text" and isinstance(value, int | float):
        hint = "put it in quotes"
    elif wanted.endswith("number") and isinstance(value, str):
        hint = "leave out the quotes"
    return error(path, f"must be {wanted}, not {_shown(value)}", hint, REFUSED)


def _shown(value: object) -> str:
    return json.dumps(value, default=str)[:_SHOWN]


def _place(loc: Sequence[int | str], raw: object) -> tuple[list[int | str], object]:
    """The part of pydantic's location that is a place in `raw` (the rest names a union's type), and what is there."""
    place: list[int | str] = []
    for part in loc:
        if isinstance(raw, Mapping) and part in raw:
            raw = raw[part]
        elif isinstance(raw, list) and part in range(len(raw)):
            raw = raw[int(part)]
        elif not place:
            return [part], None
        else:
            break
        place.append(part)
    return place, raw


def _inside(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


@cache
def _nested(model: type[BaseModel]) -> dict[str, tuple[type | None, type[BaseModel]]]:
    """The fields of `model` that hold models, by their key in a document: list, dict or None around them, and which."""
    found: dict[str, tuple[type | None, type[BaseModel]]] = {}
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is not None:
            found[field.alias or name] = inner
    return found


def _model_in(annotation: Any) -> tuple[type | None, type[BaseModel]] | None:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return next((found for each in arguments if (found := _model_in(each)) is not None), None)
    if origin in (list, dict):
        inner = _model_in(arguments[-1])
        return (origin, inner[1]) if inner is not None else None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return None, annotation
    return None
