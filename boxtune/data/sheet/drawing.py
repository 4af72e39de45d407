"""Data's drawing: boxes that are seen on dark and on light, and lines of text in a font that has their signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from boxtune.data.sheet.cutouts import TileBox

Colour = tuple[int, int, int]
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "Arial Unicode.ttf")
_PLAIN = str.maketrans({"×": "x", "–": "-", "…": "..."})
_MARKED, _OTHER, _HALO = (255, 176, 0), (108, 199, 255), (0, 0, 0)


@dataclass(frozen=True)
class TextStyle:
    """How a line is written.

    Attributes:
        size: in pixels.
        colour: red, green, blue.
        behind: of a bar that it stands on; None for none.
    """

    size: int
    colour: Colour
    behind: Colour | None = None


def draw_boxes(picture: Image.Image, boxes: Sequence[TileBox], factor: float) -> None:
    """Each on a dark line that is wider, so that it is seen on dark and on light."""
    draw = ImageDraw.Draw(picture)
    for width, marked_width in ((3, 5), (1, 3)):
        for box in boxes:
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


def write_line(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, style: TextStyle, room: int) -> None:
    """One line, cut where it does not fit into `room` pixels."""
    font, shown = _font(style.size, " ".join(text.split()))
    if draw.textlength(shown, font) > room:
        while shown and draw.textlength(f"{shown}...", font) > room:
            shown = shown[:-1]
        shown = f"{shown}..."
    if style.behind is not None:
        left, top, right, lower = draw.textbbox(at, shown, font)
        draw.rectangle((left - 2, top - 2, right + 2, lower + 2), fill=style.behind)
    draw.text(at, shown, style.colour, font)
