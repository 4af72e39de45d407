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
from boxtune.problems import JOB_REFUSED, REFUSED, Problem, error, warning

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
# Fields of 64 bits; whole numbers have 32 otherwise. A goal may be as large as it likes.
_LONG = frozenset(
    (
        "activeDeadlineSeconds",
        "deletionGracePeriodSeconds",
        "expirationSeconds",
        "fsGroup",
        "generation",
        "observedGeneration",
        "runAsGroup",
        "runAsUser",
        "seconds",
        "terminationGracePeriodSeconds",
        "tolerationSeconds",
    )
)
QUANTITY = "IoK8sApimachineryPkgApiResourceQuantity"
_TRUTHS = "put it in quotes (without, y, yes and on are true, n, no and off are false)"


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
        unread: what comes of a field on Katib that the model does not have: where it is ignored, a warning.
    """
    if not isinstance(raw, Mapping):
        yield _wrong(path, "a mapping", raw)
        return
    nested = nested_models(model)
    known = [field.alias or name for name, field in model.model_fields.items()]
    for key, value in raw.items():
        if key not in known and (unread != _IGNORED or value not in (None, {}, [])):
            near = difflib.get_close_matches(str(key), known, 1)
            tell = warning if unread == _IGNORED else error
            yield tell(inside(path, key), "there is no such field", f"the nearest is {near[0]}" if near else "", unread)
    yield from _leaf_problems(model, raw, path, nested)
    for key, (container, inner) in nested.items():
        if raw.get(key) is not None:
            yield from _inner_problems(container, inner, raw[key], inside(path, key), unread)


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
        where = path if container is None else inside(path, key)
        if "one_of_schemas" in model.model_fields:
            yield from _choice_problems(model, item, where)
        else:
            yield from shape_problems(model, item, where, unread)


def _choice_problems(model: type[BaseModel], item: object, path: str) -> Iterator[Problem]:
    """Of an amount, or of what may be a text or a whole number."""
    if model.__name__ != QUANTITY:
        if isinstance(item, bool) or not isinstance(item, str | int):
            yield _wrong(path, "a text or a whole number", item)
        else:
            yield from _too_large(path, "", item)
    elif item is None:
        yield error(path, "has no amount", "leave it out", "accepted; it is read as 0")
    else:
        problem = quantity_problem(item, path)
        if problem is not None:
            yield problem


def _leaf_problems(
    model: type[BaseModel], raw: Mapping[str, object], path: str, nested: Mapping[str, object]
) -> Iterator[Problem]:
    """Of the fields that hold no model, by pydantic."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    for key, value in raw.items():
        if key in known:
            yield from _too_large(inside(path, key), str(key), value)
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


def _too_large(path: str, key: str, value: object) -> Iterator[Problem]:
    """A whole number that Go's type does not hold."""
    bits = 63 if key in _LONG else 31
    if key != "goal" and isinstance(value, int) and not -(2**bits) <= value < 2**bits:
        yield error(path, f"{value} is too large a number; it must be below {2**bits}", "", REFUSED)


def _leaf_problem(path: str, kind: str, message: str, value: object) -> Problem:
    """A problem of pydantic's, by its kind and message."""
    if kind == "missing":
        return error(path, "must be given", "", JOB_REFUSED)
    if kind in _MUST_BE:
        return _wrong(path, _MUST_BE[kind], value)
    # Katib's own type is a text without a choice; the API server knows the choice.
    return error(path, f"{message.removeprefix('Value error, ')}, not {_shown(value)}", "", JOB_REFUSED)


def _wrong(path: str, wanted: str, value: object) -> Problem:
    hint = ""
    if wanted == "a text" and isinstance(value, bool):
        hint = _TRUTHS
    elif wanted == "a text" and isinstance(value, int | float):
        hint = "put it in quotes"
    elif wanted == "true or false" and isinstance(value, str) and value in ("true", "false"):
        hint = "leave out the quotes"
    elif wanted == "a list" and isinstance(value, str):
        hint = 'write each element on a line of its own, after "- "'
    elif isinstance(value, str) and "${trialParameters." in value:
        hint = "Katib tries the template with a word in each parameter's place"
    elif wanted.endswith("number") and isinstance(value, str):
        hint = "leave out the quotes"
    comes = REFUSED if value is not None else "accepted; it is read as an empty one"  # in a list or mapping
    return error(path, f"must be {wanted}, not {_shown(value)}", hint, comes)


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


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


def inside(path: str, key: object) -> str:
    """The path of what stands in `path` by this key."""
    return f"{path}.{key}" if path else str(key)


def leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Every text, number, truth value and null in what YAML or JSON holds, with its path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, inside(path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, inside(path, number))
    else:
        yield path, value


@cache
def nested_models(model: type[BaseModel]) -> dict[str, tuple[type | None, type[BaseModel]]]:
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
