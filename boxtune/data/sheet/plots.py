"""Data's plots: class counts by split, sizes, aspect ratios, objects an image, and where in their images boxes lie."""

from __future__ import annotations

import bisect
import html
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from boxtune.data.priors.box_sample import BoxSample
from boxtune.data.sheet.survey import ClassSurvey
from boxtune.pages.figures import BLUE, COLOURS, GREY, figure_html

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_BARS = 40  # classes in the plot; the table has all
_LONGEST_NAME = 28  # characters beside a bar
_HEIGHT = 300  # pixels
_BINS, _BINS_AN_OCTAVE = 48, 8
_CELLS = 32  # a side of the map of positions
_SMALL, _MEDIUM = 32, 96  # pixels: COCO's ends of small and medium, as the side of a square
_COUNTS = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)  # objects an image
_WIDEST = 16  # aspect ratio at the ends of its plot
_HEAT = ((0, "rgba(47,129,247,0.04)"), (0.5, "#2f81f7"), (1, "#e8590c"))  # seen on white and on black


def class_counts(classes: Sequence[ClassSurvey], splits: Sequence[str]) -> str:
    """Objects of each class, a bar in parts by split; the most frequent first."""
    import plotly.graph_objects as go

    shown = sorted(classes, key=lambda each: -each.total)[:MOST_BARS][::-1]
    figure = go.Figure()
    for number, split in enumerate(splits):
        figure.add_bar(
            x=[each.objects.get(split, 0) for each in shown],
            y=list(range(len(shown))),
            orientation="h",
            name=html.escape(split),
            marker={"color": COLOURS[number % len(COLOURS)]},
            text=[_plain(each.name, 80) for each in shown],
            textposition="none",
            hovertemplate=f"%{{text}}: %{{x}} in {html.escape(split)}<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.25, legend={"traceorder": "normal"})
    figure.update_xaxes(title="objects", rangemode="tozero")
    figure.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=[_plain(each.name) for each in shown], automargin=True
    )
    return figure_html(figure, 90 + 22 * len(shown))


def sizes(sample: BoxSample) -> str:
    """The side of a square as large as each box, in the image's own pixels."""
    edges = np.sqrt(
        (sample.ymax - sample.ymin) * sample.image_height * (sample.xmax - sample.xmin) * sample.image_width
    )
    figure = _histogram(edges, float(edges.min()), float(edges.max()))
    for edge, name in ((_SMALL, "small"), (_MEDIUM, "medium")):
        if edges.min() < edge < edges.max():
            figure.add_vline(x=math.log2(edge), line={"color": GREY, "dash": "dot"})
            figure.add_annotation(
                x=math.log2(edge), y=1, yref="paper", text=name, showarrow=False, xanchor="right", yanchor="top"
            )
    figure.update_xaxes(title="square root of the area, pixels")
    return figure_html(figure, _HEIGHT)


def aspect_ratios(sample: BoxSample) -> str:
    """Width to height in pixels."""
    width, height = (sample.xmax - sample.xmin) * sample.image_width, (sample.ymax - sample.ymin) * sample.image_height
    figure = _histogram(np.clip(width / height, 1 / _WIDEST, _WIDEST), 1 / _WIDEST, _WIDEST)
    figure.update_xaxes(title="width to height")
    return figure_html(figure, _HEIGHT)


def positions(sample: BoxSample) -> str:
    """Which share of the boxes covers each part of the image."""
    import plotly.graph_objects as go

    shares = _covered(sample) / max(1, len(sample.xmin))
    middles = (np.arange(_CELLS) + 0.5) / _CELLS
    heat = go.Heatmap(
        z=shares,
        x=middles,
        y=middles,
        zmin=0,
        zmax=float(shares.max()) or 1.0,
        colorscale=_HEAT,
        colorbar={"tickformat": ".1%", "thickness": 12},
        hovertemplate="%{z:.1%} of the boxes<extra></extra>",
    )
    figure = go.Figure(heat)
    figure.update_xaxes(range=[0, 1], tickformat=".0%", constrain="domain", title="left to right")
    figure.update_yaxes(range=[1, 0], tickformat=".0%", scaleanchor="x", constrain="domain", title="top to bottom")
    return figure_html(figure, _HEIGHT)


def objects_an_image(per_image: Mapping[int, int]) -> str:
    """How many images have how many objects."""
    import plotly.graph_objects as go

    lows = [low for low in _COUNTS if low <= max(per_image, default=0)]
    binned = [0] * len(lows)
    for count, images in per_image.items():
        binned[bisect.bisect_right(lows, count) - 1] += images
    names = [_range(low, high) for low, high in zip(lows, _COUNTS[1:], strict=False)]
    if len(names) < len(lows):
        names.append(f"{lows[-1]} or more")
    bars = go.Bar(x=names, y=binned, marker={"color": BLUE}, hovertemplate="%{y} images with %{x}<extra></extra>")
    figure = go.Figure(bars)
    figure.update_xaxes(title="objects in the image", type="category")
    figure.update_yaxes(title="images")
    return figure_html(figure, _HEIGHT)


def _range(low: int, high: int) -> str:
    return str(low) if high == low + 1 else f"{low} to {high - 1}"


def _histogram(values: NDArray[np.float64], low: float, high: float) -> Figure:
    """Bars over a scale of powers of two."""
    import plotly.graph_objects as go

    first, last = math.floor(math.log2(low)), math.ceil(math.log2(high))
    last = max(last, first + 1)
    bins = min(_BINS, (last - first) * _BINS_AN_OCTAVE)
    counts, ends = np.histogram(np.log2(values), bins=bins, range=(first - 1e-6, last + 1e-6))
    bars = go.Bar(
        x=(ends[:-1] + ends[1:]) / 2,
        y=counts,
        marker={"color": BLUE},
        text=[f"{_short(2**begin)} to {_short(2**end)}" for begin, end in itertools.pairwise(ends)],
        textposition="none",
        hovertemplate="%{text}: %{y} boxes<extra></extra>",
    )
    figure = go.Figure(bars)
    step = max(1, round((last - first) / 8))
    ticks = list(range(first, last + 1, step))
    names = [_short(2.0**tick) if tick >= 0 else f"1/{2**-tick}" for tick in ticks]
    figure.update_layout(bargap=0.04)
    figure.update_xaxes(tickvals=ticks, ticktext=names)
    figure.update_yaxes(title="boxes")
    return figure


def _covered(sample: BoxSample) -> NDArray[np.float64]:
    """How many boxes cover the middle of each cell: [rows, columns]."""
    steps = np.zeros((_CELLS + 1, _CELLS + 1))
    top, left, bottom, right = (
        np.clip(np.rint(side * _CELLS), 0, _CELLS).astype(int)
        for side in (sample.ymin, sample.xmin, sample.ymax, sample.xmax)
    )
    for row, column, sign in ((top, left, 1), (top, right, -1), (bottom, left, -1), (bottom, right, 1)):
        np.add.at(steps, (row, column), sign)
    return np.asarray(steps.cumsum(0).cumsum(1)[:_CELLS, :_CELLS])


def _short(value: float) -> str:
    return f"{value:.3g}"


def _plain(name: str, longest: int = _LONGEST_NAME) -> str:
    """A name for plotly, which reads tags in texts: as it is; a long one is cut in its middle."""
    if len(name) > longest:
        name = f"{name[: longest * 2 // 3]}…{name[-(longest // 3) :]}"
    return html.escape(name, quote=False)
