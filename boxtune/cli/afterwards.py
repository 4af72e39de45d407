"""What is left to do when a command has succeeded: kept here, so that a command without any imports nothing for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=1)
def afterwards() -> list[Callable[[], None]]:
    """To be called in order, by whoever runs the command."""
    return []


def do_the_rest() -> None:
    """Call each; what was done is done once.

    Raises:
        InputError: as they do.
    """
    while afterwards():
        afterwards().pop(0)()
