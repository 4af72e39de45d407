"""Data's contact sheet as one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from boxtune.data.sheet import plots
from boxtune.data.sheet.contact_sheet import CLASSES, ODD, SIZES, Section
from boxtune.data.sheet.survey import Survey
from boxtune.pages.figures import plotly_library
from boxtune.pages.rendering import render_page

_TEMPLATES = Path(__file__).parent / "templates"
_FEW_TILES = 2  # a class, below which all classes stand in one row after another


def sheet_page(name: str, found: Survey, sections: Sequence[Section]) -> str:
    """The page.

    Args:
        name: what the records are called.
        found: the survey of them.
        sections: the tiles.
    """
    by_class = [each for each in sections if each.group == CLASSES]
    drawn = len(found.sample.xmin)
    splits = list(found.images)
    content = {
        "name": name,
        "found": found,
        "splits": splits,
        "odd": [each for each in sections if each.group == ODD],
        "sizes": [each for each in sections if each.group == SIZES],
        "by_class": by_class,
        "crowded": bool(by_class) and max(len(each.tiles) for each in by_class) < _FEW_TILES,
        "with_objects": sum(each.total > 0 for each in found.classes),
        "drawn": drawn,
        "most_bars": plots.MOST_BARS,
        "plotly": plotly_library(),
        "counts": plots.class_counts(found.classes, splits),
        "per_image": plots.objects_an_image(found.per_image),
        "boxes": [
            ("Sizes", plots.sizes(found.sample)),
            ("Aspect ratios", plots.aspect_ratios(found.sample)),
            ("Where boxes lie", plots.positions(found.sample)),
        ]
        if drawn
        else [],
    }
    return render_page(_TEMPLATES, "contact_sheet.html", {"inline": _inline}, content)


def _inline(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
