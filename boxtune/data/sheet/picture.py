"""Data's contact sheet as one picture, for a terminal without a browser, a message or a slide."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from boxtune.data.sheet.contact_sheet import CLASSES, Section
from boxtune.data.sheet.cutouts import Tile

_COLUMNS = 6
_CELL = 240  # pixels across
_PICTURE = 220  # pixels, the longer side of a tile
_MARGIN = 16
_TITLE, _LINE = 34, 17  # pixels in height
_LINES = 3  # of a caption
_MOST_CLASSES = 24
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "Arial Unicode.ttf")
_PLAIN = str.maketrans({"×": "x", "–": "-", "…": "..."})
_INK, _SOFT, _PAGE, _CARD = (31, 35, 40), (89, 99, 110), (255, 255, 255), (246, 248, 250)
_MARKED, _OTHER, _HALO = (255, 176, 0), (108, 199, 255), (0, 0, 0)


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
    _write(draw, (_MARGIN, _MARGIN), name + more, 22, _INK, sheet.width - 2 * _MARGIN)
    top = _MARGIN + _TITLE
    for section, height in zip(rows, heights, strict=True):
        _write(draw, (_MARGIN, top + 8), f"{section.title} – {section.note}", 17, _INK, sheet.width - 2 * _MARGIN)
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
        _draw_boxes(picture, tile, factor)
    else:
        picture = Image.new("RGB", size, _CARD)
        _write(ImageDraw.Draw(picture), (10, size[1] // 2 - 10), "cannot be decoded", 14, _SOFT, size[0])
    sheet.paste(picture, at)
    lines = [tile.note, *([tile.classes] if tile.classes != tile.note else []), tile.place]
    for number, line in enumerate(lines):
        where = (at[0], at[1] + size[1] + 4 + number * _LINE)
        _write(draw, where, line, 12, _SOFT if number else _INK, _CELL - 12)


def _draw_boxes(picture: Image.Image, tile: Tile, factor: float) -> None:
    """Each on a dark line that is wider, so that it is seen on dark and on light."""
    draw = ImageDraw.Draw(picture)
    for width, marked_width in ((3, 5), (1, 3)):
        for box in tile.boxes:
            thick = marked_width if box.marked else width
            colour = _HALO if width > 1 else _MARKED if box.marked else _OTHER
            out = thick // 2
            left, top = box.x * factor - out, box.y * factor - out
            right, bottom = left + box.width * factor + 2 * out, top + box.height * factor + 2 * out
            draw.rectangle((left, top, right, bottom), outline=colour, width=thick)


def _font(size: int, text: str) -> tuple[ImageFont.FreeTypeFont, str]:
    """A font of this machine with most alphabets, else Pillow's own, which has few signs; and the text for it."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size), text
        except OSError:
            continue
    return ImageFont.load_default(size + 1), text.translate(_PLAIN)


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, colour: tuple[int, int, int], room: int
) -> None:
    """One line, cut where it does not fit into `room` pixels."""
    font, shown = _font(size, " ".join(text.split()))
    if draw.textlength(shown, font) > room:
        while shown and draw.textlength(f"{shown}...", font) > room:
            shown = shown[:-1]
        shown = f"{shown}..."
    draw.text(at, shown, colour, font)
