"""The config's room, lines: where in a config's text each field stands, which protobuf's parser does not say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from google.protobuf.text_format import Tokenizer

_OPEN, _CLOSE = ("{", "<"), ("}", ">")
_QUOTES = ("'", '"')
_AFTER = re.compile(r"[:,\s]")  # what follows the path where a finding names a field with its value, or several


@dataclass
class FieldLines:
    """A field, or the whole text, with what stands within it.

    Attributes:
        line: where it begins, from 1.
        fields: each in the order of the text, by name.
    """

    line: int
    fields: dict[str, list[FieldLines]] = field(default_factory=dict)

    def of(self, path: str) -> int:
        """The line of a field such as `train_config.data_augmentation_options.0`, or of the nearest around it that is
        set; 0 where none is.
        """
        here, found, parts = self, 0, _AFTER.split(path)[0].split(".")
        while parts and (held := here.fields.get(parts.pop(0))):
            number = int(parts.pop(0)) if parts and parts[0].isdecimal() else 0
            if number >= len(held):
                return held[0].line
            here = held[number]
            found = here.line
        return found


def field_lines(text: str) -> FieldLines:
    """The lines of a text that has been parsed as a message.

    Raises:
        google.protobuf.text_format.ParseError: it is none.
    """
    return _message(Tokenizer(text.removeprefix("\ufeff").split("\n")), 1)


def _message(tokens: Tokenizer, line: int) -> FieldLines:
    found = FieldLines(line)
    while not tokens.AtEnd() and tokens.token not in _CLOSE:
        begins, name = _line(tokens), tokens.token
        tokens.NextToken()
        tokens.TryConsume(":")
        values = found.fields.setdefault(name, [])
        if tokens.TryConsume("["):
            while not tokens.AtEnd() and not tokens.TryConsume("]"):
                values.append(_value(tokens, _line(tokens)))
                tokens.TryConsume(",")
        else:
            values.append(_value(tokens, begins))
        tokens.TryConsume(";") or tokens.TryConsume(",")
    return found


def _value(tokens: Tokenizer, line: int) -> FieldLines:
    """A message, or a scalar: of texts behind one another all."""
    if tokens.token in _OPEN:
        tokens.NextToken()
        found = _message(tokens, line)
        tokens.NextToken()
        return found
    is_text = tokens.token.startswith(_QUOTES)
    tokens.NextToken()
    while is_text and tokens.token.startswith(_QUOTES):
        tokens.NextToken()
    return FieldLines(line)


def _line(tokens: Tokenizer) -> int:
    """Of the token that is next."""
    return tokens.ParseError("").GetLine() or 0  # type: ignore[arg-type]  # a text, whatever protobuf's stubs say
