"""The config's room, mistakes in a text: another format, another encoding, quotes that protobuf text does not take."""

from __future__ import annotations

import re
import unicodedata

from trial_entry.errors import ConfigError
from trial_entry.file_kind import HEAD_BYTES, kind_of

_BOM = b"\xef\xbb\xbf"  # which Notepad writes before UTF-8
_LATIN = 0xA0  # from here on a byte is a letter in Latin-1
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SMART = re.compile("[\u2018\u2019\u201a\u201c\u201d\u201e\u00b4`]")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|#.*$")  # and comments
# A text in single quotes that ends at an apostrophe: what follows it goes on, up to another quote.
_QUOTE_WITHIN = re.compile(r"(?P<field>\w+)\s*:\s*(?P<quote>['\"])(?P<text>[^'\"]*(?P=quote)\w[^'\"{}]*)(?P=quote)")
_UNQUOTED = re.compile(r"(?P<field>\w+)\s*:\s*(?P<text>[^\s'\"{}<>\[\],;:][^'\"{}]*?)\s*(?=[},;]|\s\w+\s*:|$)")
_MARKS = (  # lines that another program put there
    (re.compile(r"\s*```"), "is a mark of Markdown", "leave the line out"),
    (
        re.compile(r"\s*(?:<{7}|={7}|>{7}|\|{7})(?:\s|$)"),
        "is a mark of a merge that was not finished",
        "keep one side, and leave the marks out",
    ),
)
_YAML_LINE = re.compile(r"^\s*(?:- )?[\w.-]+:\s*(?:#.*)?$", re.MULTILINE)
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\r\n\f\v")  # bytes that no text has
_INVISIBLE = frozenset(("Cf", "Zs", "Cc", "Co", "Cn"))


def decoded(data: bytes, where: str, wanted: str) -> str:
    """The text that `data` is, in UTF-8; a mark at its beginning and the line ends of other systems are left out.

    Args:
        where: its name in messages.
        wanted: what it must be, such as "a label map is protobuf text".

    Raises:
        ConfigError: it is another kind of file, or in another encoding; names the line.
    """
    kind = kind_of(data[:HEAD_BYTES])
    if kind is not None and data:
        raise ConfigError(f"{where}: is {kind.name}; {kind.right or wanted}")
    if data.startswith(_UTF_16) or b"\0" in data[1:HEAD_BYTES:2] + data[:HEAD_BYTES:2]:
        named = "is UTF-16, as PowerShell's > writes it; save it as UTF-8"
        raise ConfigError(f"{where}: {named if _is_utf_16(data) else f'is no text; {wanted}'}")
    if _CONTROLS.intersection(data):
        raise ConfigError(f"{where}: is no text; {wanted}")
    data = data.removeprefix(_BOM)
    try:
        return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as wrong:
        before, byte = data[: wrong.start], data[wrong.start]
        line, column = before.count(b"\n") + 1, wrong.start - before.rfind(b"\n")
        guess = f' ("{chr(byte)}" in Latin-1)' if byte >= _LATIN else ""
        raise ConfigError(
            f"{where}:{line}:{column}: is not UTF-8: byte 0x{byte:02x}{guess}; save it as UTF-8"
        ) from None


def _is_utf_16(data: bytes) -> bool:
    """Whether the bytes are text of two bytes a character, with a mark or without."""
    if not data.startswith(_UTF_16):
        data = (_UTF_16[0] if data[1:2] == b"\0" else _UTF_16[1]) + data
    try:
        text = data[: len(data) // 2 * 2].decode("utf-16")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


def other_format(text: str) -> str:
    """The format that a text is in which protobuf cannot read, JSON, YAML or Python; empty where none is known."""
    start = text.lstrip()
    if start.startswith(("{", "[")):
        return "JSON"
    if "{" not in text and _YAML_LINE.search(text):
        return "YAML"
    if re.match(r"(?:import|from|def|class)\s+\w+", start):
        return "Python"
    return ""


def line_mistake(line: str) -> str:
    """What is wrong with a line on which protobuf stumbles, and what would be right; empty where nothing is known."""
    for mark, what, right in _MARKS:
        if mark.match(line):
            return f"{what}; {right}"
    if _SMART.search(_QUOTED.sub("", line)):
        right = _SMART.sub('"', line).strip()
        return f"has typographic quotes, which protobuf does not read; write straight quotes: {right}"
    if within := _QUOTE_WITHIN.search(line):
        other = "'" if within["quote"] == '"' else '"'
        right = f"{within['field']}: {other}{within['text'].strip()}{other}"
        return f"has a quote within a text in the same quotes; write {right}"
    odd = next((each for each in line if not each.isascii() and unicodedata.category(each) in _INVISIBLE), "")
    if odd:
        named = unicodedata.name(odd, f"U+{ord(odd):04X}")
        return f"has a character that cannot be seen, {named}; take it out"
    return ""


def unquoted(line: str, column: int) -> str:
    """What to write for a text without quotes that begins at a column (from 1) of a line; empty where there is none."""
    found = next((each for each in _UNQUOTED.finditer(line) if each.start("text") == column - 1), None)
    return f'a text needs quotes: {found["field"]}: "{found["text"]}"' if found else ""
