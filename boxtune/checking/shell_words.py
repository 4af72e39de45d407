"""Checking's reader of shell lines: words, operators and comments as a POSIX shell finds them. It runs nothing.

Source: the Shell Command Language of POSIX.1-2017, 2.2 (quoting) and 2.3 (tokens). tests/boxtune/checking compares the
words with those of the shells of the machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["word", "operator", "redirection", "newline", "comment", "document"]

_OPERATORS = ("&&", "||", ";;", ";", "&", "|", "(", ")")
_REDIRECTION = re.compile(r"\d*(?:<<<|<<-|<<|<&|<>|<|>>|>&|>\||>)|&>>?")
_HERE = ("<<", "<<-")
_VARIABLE = re.compile(r"\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])")
_ENDS_WORD = " \t\n;&|()<>"
# Words that open a compound command at a command's beginning, and what closes it.
_OPENED = {"{": "}", "if": "fi", "case": "esac", **dict.fromkeys(("for", "while", "until", "select"), "done")}
_BEFORE_COMMAND = {"{", "then", "else", "elif", "do", "while", "until", "if", "!", "time"}
_JOINS = ("&&", "||", ";", ";;", "&", "|", "(", ")")


class UnclosedError(ValueError):
    """A quote, a substitution or a here-document has no end; the text says which."""


@dataclass(frozen=True)
class Token:
    """One token of a line.

    Attributes:
        kind: a `document` is the body of a here-document.
        raw: as it stands.
        text: a word without its quotes; expansions (`$NAME`, `$(…)`) stay as they stand.
        start: its place in the line.
        dropped: ordinary characters that stand after an unquoted backslash, which the shell takes away.
        commands: the insides of its command substitutions.
        variables: names that it expands, `LR` of `$LR`.
    """

    kind: Kind
    raw: str
    text: str
    start: int
    dropped: str = ""
    commands: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """The place after it."""
        return self.start + len(self.raw)


@dataclass
class _Word:
    """A word while it is read."""

    text: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SimpleCommand:
    """What stands between two separators at the outermost level of a line; a compound command counts as one.

    Attributes:
        tokens: its words and redirections.
        before: the operator before it, a newline, or empty for the first.
    """

    tokens: tuple[Token, ...]
    before: str

    @property
    def words(self) -> tuple[Token, ...]:
        """Its words, without what redirections name."""
        found, target = [], False
        for token in self.tokens:
            if token.kind == "word" and not target:
                found.append(token)
            target = token.kind == "redirection"
        return tuple(found)


def tokens(line: str) -> list[Token]:
    """The tokens of a line.

    Raises:
        UnclosedError: it goes on behind its end.
    """
    try:
        return list(_Reader(line).tokens())
    except RecursionError:
        raise UnclosedError("substitutions within substitutions without an end") from None


def commands(found: list[Token]) -> list[SimpleCommand]:
    """The commands at the outermost level, in their order; empty ones (after the last newline) among them."""
    split: list[SimpleCommand] = []
    held: list[Token] = []
    ends: list[str] = []
    before, begins = "", True
    for token in found:
        joins = token.kind == "newline" or (token.kind == "operator" and token.raw in _JOINS)
        opens = token.raw == "(" and token.kind == "operator"
        closes = ends and token.raw == ends[-1] and (begins or token.raw == ")")
        if closes:
            ends.pop()
        elif opens or (token.kind == "word" and begins and token.raw in _OPENED):
            ends.append(")" if opens else _OPENED[token.raw])
        elif joins and not ends:
            split.append(SimpleCommand(tuple(held), before))
            held, before, begins = [], token.raw, True
            continue
        held.append(token)
        begins = joins or token.raw in _BEFORE_COMMAND
    return [*split, SimpleCommand(tuple(held), before)]


class _Reader:
    """Goes over a line once."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0

    def tokens(self) -> Iterator[Token]:
        documents: list[tuple[str, bool]] = []  # here-documents whose bodies come after this line: end, tabs stripped
        here = ""
        while self._skip_blanks():
            token = self._token()
            yield token
            if here and token.kind == "word":
                documents.append((token.text, here == "<<-"))
            here = token.raw.lstrip("0123456789") if token.kind == "redirection" else ""
            here = here if here in _HERE else ""
            if token.kind == "newline":
                for end, stripped in documents:
                    yield self._document(end, stripped)
                documents.clear()
        if documents:
            raise UnclosedError(f"the here-document {documents[0][0]}")

    def _skip_blanks(self) -> bool:
        """To the next token; whether there is one."""
        while self._at < len(self._line):
            if self._line[self._at] in " \t":
                self._at += 1
            elif self._line.startswith("\\\n", self._at):
                self._at += 2
            else:
                return True
        return False

    def _token(self) -> Token:
        line, start = self._line, self._at
        if line[start] == "\n":
            return self._made("newline", start, start + 1)
        if line[start] == "#":
            end = line.find("\n", start)
            return self._made("comment", start, len(line) if end < 0 else end)
        redirection = _REDIRECTION.match(line, start)
        if redirection is not None:
            return self._made("redirection", start, redirection.end())
        operator = next((each for each in _OPERATORS if line.startswith(each, start)), None)
        if operator is not None:
            return self._made("operator", start, start + len(operator))
        return self._word()

    def _made(self, kind: Kind, start: int, end: int) -> Token:
        self._at = end
        return Token(kind, self._line[start:end], self._line[start:end], start)

    def _document(self, end: str, stripped: bool) -> Token:
        start = self._at
        for line in self._line[start:].splitlines(keepends=True):
            self._at += len(line)
            bare = line.rstrip("\n")
            if (bare.lstrip("\t") if stripped else bare) == end:
                return self._made("document", start, self._at)
        raise UnclosedError(f"the here-document {end}")

    def _word(self) -> Token:
        start, word = self._at, _Word()
        while self._at < len(self._line) and self._line[self._at] not in _ENDS_WORD:
            self._part(word)
        raw = self._line[start : self._at]
        return Token(
            "word",
            raw,
            "".join(word.text),
            start,
            "".join(word.dropped),
            tuple(word.commands),
            tuple(word.variables),
        )

    def _part(self, word: _Word) -> None:
        """One character or quoted piece of a word."""
        sign = self._line[self._at]
        if sign == "'":
            word.text.append(self._until("'", "a quote '"))
        elif sign == '"':
            self._double_quoted(word)
        elif sign == "\\":
            following = self._line[self._at + 1 : self._at + 2]
            if following.isalnum():
                word.dropped.append(following)
            word.text.append(following if following != "\n" else "")
            self._at += 2
        elif sign in "$`":
            self._expansion(word)
        else:
            word.text.append(sign)
            self._at += 1

    def _until(self, end: str, what: str) -> str:
        """The inside of what begins here and ends with `end`, without escapes."""
        place = self._line.find(end, self._at + 1)
        if place < 0:
            raise UnclosedError(what)
        inside = self._line[self._at + 1 : place]
        self._at = place + 1
        return inside

    def _double_quoted(self, word: _Word) -> None:
        self._at += 1
        while self._at < len(self._line):
            sign = self._line[self._at]
            if sign == '"':
                self._at += 1
                return
            if sign == "\\" and self._line[self._at + 1 : self._at + 2] in ('"', "\\", "$", "`", "\n"):
                word.text.append(self._line[self._at + 1].replace("\n", ""))
                self._at += 2
            elif sign in "$`":
                self._expansion(word)
            else:
                word.text.append(sign)
                self._at += 1
        raise UnclosedError('a quote "')

    def _expansion(self, word: _Word) -> None:
        """`$NAME`, `${…}`, `$(…)`, `$((…))` and backquotes, which stay as they stand; a `$` alone is itself."""
        start, line = self._at, self._line
        variable = _VARIABLE.match(line, start)
        if line[start] == "`":
            word.commands.append(self._backquoted())
        elif line.startswith("$(", start):
            self._at += 1
            self._balanced("(", ")", "a substitution $(")
            inside = line[start + 2 : self._at - 1]
            if not inside.startswith("("):
                word.commands.append(inside)
        elif line.startswith("${", start):
            self._at += 1
            self._balanced("{", "}", "a substitution ${")
            word.variables.append(line[start + 2 : self._at - 1])
        elif variable is not None:
            self._at = variable.end()
            word.variables.append(variable.group()[1:])
        else:
            self._at += 1
        word.text.append(line[start : self._at])

    def _backquoted(self) -> str:
        start = self._at + 1
        self._at = start
        while self._at < len(self._line):
            if self._line[self._at] == "`":
                self._at += 1
                return self._line[start : self._at - 1]
            self._at += 2 if self._line[self._at] == "\\" else 1
        raise UnclosedError("a backquote")

    def _balanced(self, opening: str, closing: str, what: str) -> None:
        """To behind the bracket that closes the one here; quotes and substitutions inside hide theirs."""
        depth = 0
        skip = _Word()
        quoted: dict[str, Callable[[_Word], None]] = {'"': self._double_quoted, "'": self._part, "\\": self._part}
        while self._at < len(self._line):
            sign = self._line[self._at]
            if sign in quoted:
                quoted[sign](skip)
                continue
            depth += (sign == opening) - (sign == closing)
            self._at += 1
            if not depth:
                return
        raise UnclosedError(what)
