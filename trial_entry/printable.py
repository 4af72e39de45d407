"""Text as a terminal may show it: what somebody else's file holds must not move a cursor or hide a word."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with what a terminal would obey written out: an escape as `\x1b`, a line's end as `\n`."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "backslashreplace").decode() for each in text
    )
