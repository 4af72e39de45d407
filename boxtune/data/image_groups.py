"""Data's groups of images: which belong to one picture or one flight, told by their names and by the import's table."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from boxtune.data.importing.splitting import Grouping

_TILE = re.compile(r"_\d+_\d+_\d+_\d+(?=\.\w+$|$)")  # what an import adds to the name of a picture that it cuts


def image_groups(names: Sequence[str], tables: Iterable[Path], grouping: Grouping) -> list[str]:
    """What each image of these names is to be drawn together with; equal ones are one group.

    By the table that an import left beside the records tiles go with their picture, and pictures with their group; an
    image that is in no table is by itself.

    Args:
        tables: what imports left.
        grouping: what else groups names.
    """
    known: dict[str, str] = {}
    for table in tables:
        known |= _table(table)
    given = [known.get(name) or known.get(_TILE.sub("", name)) or name for name in names]
    return [grouping.group(name, own) or own for name, own in zip(names, given, strict=True)]


def _table(file: Path) -> dict[str, str]:
    """Group by image; an image without one is its own."""
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            return {row["image"]: row["group"] or row["image"] for row in csv.DictReader(opened)}
    except (OSError, KeyError, csv.Error, UnicodeDecodeError):
        return {}
