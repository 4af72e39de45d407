"""The config's room, where protobuf stumbles over a line: what stands there, in words, and what would be right.

protobuf says what it expected; who wrote a comment as in C, a number in quotes or a Windows path needs to hear that.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from google.protobuf import descriptor_pool

_COMMENT = re.compile(r"//|/\*")
_NUMBER = re.compile(r"Couldn't parse (?P<kind>integer|float): (?P<token>.*)")
_ENUM = re.compile(r'Enum type "(?P<type>[\w.]+)" has no value named (?P<value>.*)')
_COMMA = re.compile(r"(?P<before>\d+)\s*,\s*(?P<after>\d+)")
_FIELD = re.compile(r"(?P<field>\w+)\s*[:=]?\s*\[?[^\[\]:{}]*$")
_BACKSLASH = re.compile(r"'(?:raw)?unicodeescape' codec")
_QUOTES = "'\""
_THOUSANDS = 3  # digits after a comma that separates thousands


def stumble(said: str, line: str, column: int, *, is_last: bool) -> str:
    """What is wrong at a place of a line, and what would be right; empty where nothing is known.

    Args:
        said: protobuf's words.
        column: of the place, from 1.
        is_last: whether the text ends with the line.
    """
    before, rest = line[: max(0, column - 1)], line[max(0, column - 1) :]
    if _COMMENT.match(rest):
        return "is no comment here; a comment begins with #"
    if said.startswith("Expected identifier") and rest.startswith("}"):
        return "closes a block, and none is open; a } is too many, here or before"
    if said.startswith('Expected "}"') and is_last:
        return "the text ends, and a block is open; a } is missing, here or before"
    return next((right for rule in _RULES if (right := rule(said, before, rest))), "")


def _colon(said: str, before: str, rest: str) -> str:
    if not said.startswith('Expected ":"'):
        return ""
    field, value = before.split()[-1:], rest.lstrip("= ").rstrip()
    return f"a colon stands between a field and its value: {field[0]}: {value}" if field and value else ""


def _number(said: str, before: str, rest: str) -> str:
    found = _NUMBER.match(said)
    if found is None:
        return ""
    if not before.strip():
        return "a value was expected here; the field before it has none"
    token, whole = found["token"], "a whole number" if found["kind"] == "integer" else "a number"
    bare = token.strip(_QUOTES)
    if token != bare and bare.isdigit():
        return f"a number has no quotes: {_field(before)}: {bare}"
    return (
        f"{_field(before)} must be {whole}, and {token if token.isalnum() else rest.strip().partition(' ')[0]} is none"
    )


def _bool(said: str, before: str, rest: str) -> str:
    return f"{_field(before)} is true or false, without quotes" if said.startswith('Expected "true"') else ""


def _comma(said: str, before: str, rest: str) -> str:
    found = _COMMA.search(f"{before[-20:]}{rest}")
    if found is None or not before.rstrip().endswith(",") or not rest[:1].isdigit():
        return ""
    mark = "" if len(found["after"]) == _THOUSANDS and int(found["before"]) else "."
    return f"a number has no comma: {found['before']}{mark}{found['after']}"


def _backslash(said: str, before: str, rest: str) -> str:
    if not _BACKSLASH.match(said):
        return ""
    return "has a backslash, which begins a special character, as in a Windows path; write / in its place"


def _enum(said: str, before: str, rest: str) -> str:
    found = _ENUM.match(said)
    if found is None:
        return ""
    value = found["value"].strip(_QUOTES)
    kind = descriptor_pool.Default().FindEnumTypeByName(f"object_detection.protos.{found['type']}")
    names = [each.name for each in kind.values]
    if value in names:
        return f"a name has no quotes: {_field(before)}: {value}"
    near = difflib.get_close_matches(value.upper(), names, n=1, cutoff=0.5)
    right = f"the nearest is {near[0]}" if near else f"it has {', '.join(names)}"
    return f"{_field(before)} has no {value}; {right}"


def _field(before: str) -> str:
    """The field whose value begins after `before`."""
    found = _FIELD.search(before)
    return found["field"] if found else "it"


_RULES: tuple[Callable[[str, str, str], str], ...] = (_colon, _number, _bool, _comma, _backslash, _enum)
