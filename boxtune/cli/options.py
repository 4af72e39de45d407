"""What several subcommands read from their options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxtune.cli.paths import input_folder
from boxtune.errors import InputError


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
