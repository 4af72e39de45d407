"""Numbers of things, as several subcommands say them."""

from __future__ import annotations

from boxtune.data.findings import counted as noun


def counted(number: int, what: str) -> str:
    """`no errors`, `1 error`, `2 errors`."""
    return f"{number or 'no'} {noun(what, number)}"
