"""Data's contact sheet: which tiles stand under which heading, read from the records in a second pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.record_files import Place, RecordFiles, read_some
from boxtune.data.sheet.cutouts import Tile, make_tile
from boxtune.data.sheet.oddities import KINDS
from boxtune.data.sheet.survey import MOST_PICKS, ClassSurvey, Pick, Survey

ODD, SIZES, CLASSES = "odd", "sizes", "classes"
_CLASS_TILES = 240  # in all


@dataclass(frozen=True)
class Section:
    """Tiles under one heading.

    Attributes:
        group: ODD, SIZES or CLASSES.
        title: the heading.
        note: how many there are and so on.
        tiles: the pictures.
    """

    group: str
    title: str
    note: str
    tiles: Sequence[Tile]


def make_sections(records: RecordFiles, found: Survey) -> list[Section]:
    """The sheet's sections: what is odd, the smallest and the largest objects, each class.

    Raises:
        InputError: a record cannot be read.
    """
    planned = list(_planned(found))
    tiles = _tiles(records, [pick for _, _, _, picks in planned for pick in picks])
    return [
        Section(group, title, note, [tiles[pick.place, pick.objects, pick.note] for pick in picks])
        for group, title, note, picks in planned
    ]


def _planned(found: Survey) -> Iterator[tuple[str, str, str, Sequence[Pick]]]:
    for kind, picks in found.odd.items():
        yield ODD, KINDS[kind], f"{picks.count}", picks.kept
    if found.smallest:
        yield SIZES, "The smallest objects", "in pixels, one an image", found.smallest
        yield SIZES, "The largest objects", "as shares of their images, one an image", found.largest
    seen = [each for each in found.classes if each.total]
    each_has = max(1, min(MOST_PICKS, _CLASS_TILES // max(1, len(seen))))
    for each in seen[:_CLASS_TILES]:
        picks_of = sorted(each.picks, key=lambda pick: (str(pick.place.file), pick.place.number))
        yield CLASSES, each.name, _class_note(each), picks_of[:each_has]


def _class_note(each: ClassSurvey) -> str:
    return f"{_count(each.total, 'object')} in {_count(each.images, 'image')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _tiles(records: RecordFiles, picks: Sequence[Pick]) -> dict[tuple[Place, tuple[int, ...], str], Tile]:
    """The tiles of all picks, one image in memory at a time."""
    wanted: dict[Path, dict[int, list[Pick]]] = {}
    for pick in picks:
        wanted.setdefault(pick.place.file, {}).setdefault(pick.place.number, []).append(pick)
    tiles = {}
    for file, numbers in wanted.items():
        for number, example in read_some(file, numbers, records.labels):
            for pick in numbers[number]:
                tiles[pick.place, pick.objects, pick.note] = make_tile(example, pick)
    return tiles
