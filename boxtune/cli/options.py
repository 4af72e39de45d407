"""What several subcommands read from their options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from boxtune.cli.paths import input_folder
from boxtune.errors import InputError

ExperimentName = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="of the Experiment, where the file holds several")
]
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def volumes_of(given: Sequence[str] | None) -> dict[str, Path]:
    """Folder by name, from `--volume NAME=DIR`; a copy of what is below gs://.

    Raises:
        InputError: not of that form, or a bucket cannot be read.
    """
    return dict(_volume(text) for text in given or ())


def _volume(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not name or not equals or not folder:
        raise InputError(f'--volume "{text}": write NAME=DIR')
    return name, input_folder(folder).expanduser()


def parallel_of(text: str | None) -> int | Literal["auto"] | None:
    """`--parallel N|auto`; None where it is left out.

    Raises:
        InputError: it is neither.
    """
    if text is None:
        return None
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f'--parallel "{text}": must be a number from 1, or auto')
    return int(text)


def seconds_of(option: str, text: str) -> float:
    """A time such as 90s, 45m or 8h.

    Raises:
        InputError: it is none; names the option.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or found.group(2) not in _UNITS or float(found.group(1)) <= 0:
        raise InputError(f'{option} "{text}": write a time such as 90s, 45m or 8h')
    return float(found.group(1)) * _UNITS[found.group(2)]
