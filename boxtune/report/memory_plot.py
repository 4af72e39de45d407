"""The border of memory as a plot: what fitted and what did not, by batch size and image pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from boxtune.pages.figures import BLUE, COLOURS, GREY, figure_html
from boxtune.report.memory import Model, Tried
from trial_entry.pipeline_config.footprint import Footprint

_COLUMNS = 3
_POINTS = 40  # of a border, which is a curve


def memory_border(models: Sequence[Model]) -> str:
    """One plot a model; empty where the data decide the images' size, so that there are no pixels to show."""
    from plotly.subplots import make_subplots

    shown = [model for model in models if model.tried[0].footprint.pixels is not None]
    if not shown:
        return ""
    columns = min(_COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=[model.name for model in shown])
    for place, model in enumerate(shown):
        at = {"row": place // columns + 1, "col": place % columns + 1, "showlegend": not place}
        for fitted in (True, False):
            figure.add_scatter(**_points([each for each in model.tried if each.fitted == fitted], fitted), **at)
        if model.border is not None:
            figure.add_scatter(**_line(model, model.border), **at)
    figure.update_xaxes(title="batch_size")
    figure.update_yaxes(title="pixels of an image", rangemode="tozero", col=1)
    return figure_html(figure, 300 * rows)


def _points(tried: Sequence[Tried], fitted: bool) -> dict[str, Any]:
    """Trials on one side of the border."""
    name, symbol, colour = ("fitted", "circle", BLUE) if fitted else ("ran out of memory", "x", COLOURS[1])
    return {
        "x": [each.footprint.batch_size for each in tried],
        "y": [each.footprint.pixels for each in tried],
        "mode": "markers",
        "name": name,
        "marker": {"symbol": symbol, "color": colour, "size": 9},
        "text": [f"<b>{each.trial}</b><br>{each.footprint}" for each in tried],
        "hovertemplate": "%{text}<extra></extra>",
        "legendgroup": name,
    }


def _line(model: Model, border: Footprint) -> dict[str, Any]:
    """The border itself: equal pixels of a batch."""
    batches = _batches(model)
    return {
        "x": batches,
        "y": [border.load / batch for batch in batches],
        "mode": "lines",
        "name": "not tried from here on",
        "line": {"dash": "dash", "color": GREY},
        "hoverinfo": "skip",
        "legendgroup": "border",
    }


def _batches(model: Model) -> list[float]:
    """Batch sizes along the border, as far as its trials lie."""
    sizes = [each.footprint.batch_size for each in model.tried]
    least, most = max(min(sizes) * 0.8, 0.5), max(sizes) * 1.2
    return [least + (most - least) * step / (_POINTS - 1) for step in range(_POINTS)]
