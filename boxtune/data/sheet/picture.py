"""Data's contact sheet as one picture, for a terminal without a browser, a message or a slide."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from boxtune.data.sheet.contact_sheet import CLASSES, Section
from boxtune.data.sheet.cutouts import Tile
from boxtune.data.sheet.drawing import TextStyle, draw_boxes, write_line

_COLUMNS = 6
_CELL = 240  # pixels across
_PICTURE = 220  # pixels, the longer side of a tile
_MARGIN = 16
_TITLE, _LINE = 34, 17  # pixels in height
_LINES = 3  # of a caption
_MOST_CLASSES = 24
_INK, _SOFT, _PAGE, _CARD = (31, 35, 40), (89, 99, 110), (255, 255, 255), (246, 248, 250)


def write_picture(file: Path, name: str, sections: Sequence[Section]) -> None:
    """Write the sheet to `file`, a PNG: a row of each section; of many classes the first ones.

    Raises:
        OSError: `file` cannot be written.
    """
    classes = [each for each in sections if each.group == CLASSES]
    rows = [each for each in sections if each.group != CLASSES] + classes[:_MOST_CLASSES]
    left_out = len(classes) - _MOST_CLASSES
    heights = [_TITLE + _row_height(each.tiles[:_COLUMNS]) for each in rows]
    sheet = Image.new("RGB", (2 * _MARGIN + _COLUMNS * _CELL, 2 * _MARGIN + 2 * _TITLE + sum(heights)), _PAGE)
    draw = ImageDraw.Draw(sheet)
    more = f" ({left_out} more classes are on the page)" if left_out > 0 else ""
    write_line(draw, (_MARGIN, _MARGIN), name + more, TextStyle(22, _INK), sheet.width - 2 * _MARGIN)
    top = _MARGIN + _TITLE
    for section, height in zip(rows, heights, strict=True):
        write_line(
            draw,
            (_MARGIN, top + 8),
            f"{section.title} – {section.note}",
            TextStyle(17, _INK),
            sheet.width - 2 * _MARGIN,
        )
        for column, tile in enumerate(section.tiles[:_COLUMNS]):
            _put(sheet, draw, tile, (_MARGIN + column * _CELL, top + _TITLE))
        top += height
    sheet.save(file, "PNG")


def _row_height(tiles: Sequence[Tile]) -> int:
    return max((_scaled(tile)[1] for tile in tiles), default=0) + _LINES * _LINE + 12


def _scaled(tile: Tile) -> tuple[int, int]:
    factor = _PICTURE / max(tile.width, tile.height)
    return max(1, round(tile.width * factor)), max(1, round(tile.height * factor))


def _put(sheet: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, at: tuple[int, int]) -> None:
    size = _scaled(tile)
    factor = size[0] / tile.width
    if tile.jpeg:
        with Image.open(io.BytesIO(tile.jpeg)) as image:
            picture = image.resize(size)
        draw_boxes(picture, tile.boxes, factor)
    else:
        picture = Image.new("RGB", size, _CARD)
        write_line(ImageDraw.Draw(picture), (10, size[1] // 2 - 10), "cannot be decoded", TextStyle(14, _SOFT), size[0])
    sheet.paste(picture, at)
    lines = [tile.note, *([tile.classes] if tile.classes != tile.note else []), tile.place]
    for number, line in enumerate(lines):
        where = (at[0], at[1] + size[1] + 4 + number * _LINE)
        write_line(draw, where, line, TextStyle(12, _SOFT if number else _INK), _CELL - 12)
