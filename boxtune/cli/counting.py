"""Numbers of things, as several subcommands say them."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """`no errors`, `1 error`, `2 errors`."""
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
