"""The contract's command lines: a request's fields, each defined once, read from argv and written to argv.

A field of a request is made by one of `required`, `optional`, `repeated`, `switch` and `positional`, with a `Kind` that
reads one argument's text and writes it again. `arguments_of` and `read_arguments` are each other's inverse.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar, cast

from trial_entry.contract.exports import TilingRecord
from trial_entry.contract.metrics import is_metric, nearest_metric
from trial_entry.contract.unknown_arguments import unknown_arguments
from trial_entry.errors import AssignmentError, RequestError, StorageError
from trial_entry.storage.urls import Remote, is_remote, place_of, refuse_writing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_TILING = re.compile(r"(\d+)x(\d+)\+(\d+)")
_DIGEST = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ARGUMENT = "argument"  # the key in a field's metadata
T = TypeVar("T")
R = TypeVar("R", bound="DataclassInstance")


@dataclass(frozen=True)
class Assignment:
    """`NAME=VALUE`: an alias or field path, and what to set it to; blanks around either are no part of it.

    Raises:
        AssignmentError: no name, or one with an equals sign in it.
    """

    name: str
    value: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.strip())
        object.__setattr__(self, "value", self.value.strip())
        if not self.name or "=" in self.name:
            raise AssignmentError(f'"{self.name}={self.value}": no name before the equals sign, or two of them')

    @classmethod
    def parse(cls, text: str) -> Assignment:
        """Raises AssignmentError where `text` has no name or no `=`."""
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise AssignmentError(f'--set "{text}": write a name and its value, joined by an equals sign')
        return cls(name, value)

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


@dataclass(frozen=True)
class Kind(Generic[T]):
    """What one argument's text means.

    Attributes:
        read: raises argparse's ArgumentTypeError or ValueError at what it cannot be.
        write: the inverse of `read`.
    """

    read: Callable[[str], T]
    write: Callable[[T], str] = str


def _local(text: str) -> Path:
    if is_remote(text):
        raise argparse.ArgumentTypeError(f"{text}: must be a path of this machine here")
    return Path(text)


def _place(text: str) -> Path | Remote:
    try:
        return place_of(text)
    except StorageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _remote(text: str) -> Remote:
    place = _place(text)
    if not isinstance(place, Remote):
        raise argparse.ArgumentTypeError(f"{text}: write gs://BUCKET/PREFIX or s3://BUCKET/PREFIX")
    return place


def _home(text: str) -> Path | Remote:
    place = _place(text)
    try:
        if isinstance(place, Remote):
            refuse_writing(text)
    except StorageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return place


def whole(low: int, high: float = math.inf) -> Kind[int]:
    """A whole number, from `low` to `high`."""

    def whole_number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            must = f"at least {low}" if high == math.inf else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"{text} is out of range; it must be {must}")
        return value

    return Kind(whole_number)


def number(low: float, high: float = math.inf) -> Kind[float]:
    """A number from `low` to `high`."""

    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is out of range; it must be from {low:g} to {high:g}")
        return value

    return Kind(number, repr)


def one_of(*words: str) -> Kind[str]:
    """One of these words."""

    def word(text: str) -> str:
        if text not in words:
            raise argparse.ArgumentTypeError(f"{text} is none of {', '.join(words)}")
        return text

    return Kind(word)


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text}: must be of letters, digits, - and _, 128 at most")
    return text


def _metric_name(text: str) -> str:
    if not is_metric(text):
        raise argparse.ArgumentTypeError(f"{text} is no metric that a trial prints; {nearest_metric(text)}")
    return text


def _tiling(text: str) -> TilingRecord:
    found = _TILING.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is no WIDTHxHEIGHT+OVERLAP, such as 640x640+128")
    return TilingRecord(*map(int, found.groups()))


TEXT: Kind[str] = Kind(str)
TILING: Kind[TilingRecord] = Kind(_tiling, lambda tiling: f"{tiling.width}x{tiling.height}+{tiling.overlap}")
METRIC: Kind[str] = Kind(_metric_name)
FILE: Kind[Path] = Kind(_local)
FOLDER: Kind[Path] = Kind(_local)
PLACE: Kind[Path | Remote] = Kind(_place)
HOME: Kind[Path | Remote] = Kind(_home)  # a place that is written
REMOTE: Kind[Remote] = Kind(_remote)
DIGEST: Kind[str] = Kind(_digest)
ASSIGNMENT: Kind[Assignment] = Kind(Assignment.parse)


@dataclass(frozen=True)
class _Argument:
    """How a field stands in argv; what argparse needs to read it, and how one value is written."""

    flag: str  # empty for the field's own name
    write: Callable[[object], str] | None  # None for a switch
    options: Mapping[str, object]
    repeats: bool = False
    is_positional: bool = False

    def flag_of(self, field: str) -> str:
        return self.flag or f"--{field}"


def required(kind: Kind[T], metavar: str, help: str, flag: str = "") -> T:
    """A field that argv must have, as `--FIELD=VALUE` or `FLAG=VALUE`."""
    return _field(kind, {"type": kind.read, "required": True, "metavar": metavar, "help": help}, flag=flag)


def optional(kind: Kind[T], default: T, metavar: str, help: str) -> T:
    """A field that argv may have, as `--FIELD=VALUE`."""
    return _field(kind, {"type": kind.read, "default": default, "metavar": metavar, "help": help}, default)


def maybe(kind: Kind[T], metavar: str, help: str) -> T | None:
    """A field that is None where argv has it not."""
    return optional(cast("Kind[T | None]", kind), None, metavar, help)


def repeated(kind: Kind[T], metavar: str, help: str, flag: str = "") -> tuple[T, ...]:
    """A field that argv may have several times, as `--FIELD=VALUE` or `FLAG=VALUE` each."""
    options = {"type": kind.read, "action": "append", "default": [], "metavar": metavar, "help": help}
    return cast("tuple[T, ...]", _field(kind, options, (), flag=flag, repeats=True))


def switch(help: str) -> bool:
    """A field that is true where argv has `--FIELD`."""
    argument = _Argument("", None, {"action": "store_true", "help": help})
    return dataclasses.field(default=False, kw_only=True, metadata={_ARGUMENT: argument})


def positional(kind: Kind[T], metavar: str, help: str) -> T:
    """A field that argv must have, without a flag."""
    return _field(kind, {"type": kind.read, "metavar": metavar, "help": help}, is_positional=True)


def _field(
    kind: Kind[T],
    options: Mapping[str, object],
    default: object = dataclasses.MISSING,
    flag: str = "",
    repeats: bool = False,
    is_positional: bool = False,
) -> T:
    """A dataclass's field; typed as its value, as `dataclasses.field` is."""
    write = cast("Callable[[object], str]", kind.write)
    argument = _Argument(flag, write, options, repeats, is_positional)
    made: object = dataclasses.field(default=default, kw_only=True, metadata={_ARGUMENT: argument})
    return cast("T", made)


def arguments_of(request: DataclassInstance) -> list[str]:
    """The request's argv after its command; what has its default is left out."""
    argv = []
    for field in dataclasses.fields(request):
        argument: _Argument = field.metadata[_ARGUMENT]
        value = getattr(request, field.name)
        flag = argument.flag_of(field.name)
        if value == field.default:
            continue
        if argument.write is None:
            argv.append(flag)
        elif argument.is_positional:
            text = argument.write(value)
            argv.append(os.path.join(".", text) if text.startswith("-") else text)  # noqa: PTH118 (Path drops the dot)
        else:
            argv += [f"{flag}={argument.write(each)}" for each in (value if argument.repeats else [value])]
    return argv


class _Parser(argparse.ArgumentParser):
    """Wrong arguments are a wrong request, in one line."""

    hint = ""

    def error(self, message: str) -> NoReturn:
        raise RequestError(f"{message} ({self.hint})")


def read_arguments(
    kind: type[R], argv: Sequence[str], program: str, about: str, hint: str, words: Mapping[str, str]
) -> R:
    """The inverse of `arguments_of`; prints the help and ends by SystemExit where argv asks for it.

    Args:
        program: stands before the arguments in the help.
        about: opens the help.
        hint: closes every error.
        words: fill the `{NAME}` places of the help.

    Raises:
        RequestError: unknown, missing or malformed arguments, in one line.
    """
    parser = _Parser(
        prog=program, description=about, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.hint = hint
    fields, names = dataclasses.fields(kind), []
    for field in fields:
        argument: _Argument = field.metadata[_ARGUMENT]
        options = {**argument.options, "help": str(argument.options["help"]).format_map(words)}
        if not argument.is_positional:
            options["dest"] = field.name
        name = field.name if argument.is_positional else argument.flag_of(field.name)
        names.append(name)
        parser.add_argument(name, **options)  # type: ignore[arg-type]
    found, unknown = parser.parse_known_args(list(argv))
    if unknown:
        raise unknown_arguments(unknown, names, hint)
    read = vars(found)
    repeats = {field.name for field in fields if field.metadata[_ARGUMENT].repeats}
    return kind(**{name: tuple(value) if name in repeats else value for name, value in read.items()})
