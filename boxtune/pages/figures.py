"""Pages' figures: a plotly figure as a piece of HTML whose text and lines take the page's colours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

BLUE, GREEN, GREY = "#2f81f7", "#2da44e", "#8b949e"
COLOURS = ("#2f81f7", "#d97706", "#2da44e", "#c9408a", "#8957e5", "#0e9aa7", "#cf222e", "#a37c27")
SCALE = ((0, "#a8b1bb"), (0.5, "#2f81f7"), (1, "#e8590c"))  # seen on white and on black
_MARGIN = {"l": 56, "r": 16, "t": 16, "b": 44}


def figure_html(figure: Figure, height: int, margin: Mapping[str, int] | None = None) -> str:
    """The figure, `height` pixels high and as wide as its place; the page must hold `plotly_library` once."""
    figure.update_layout(
        height=height,
        margin=dict(margin or _MARGIN),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "inherit", "size": 13},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "bgcolor": "rgba(0,0,0,0)"},
        hoverlabel={"align": "left"},
    )
    name = f"plot-{hashlib.sha256(figure.to_json().encode()).hexdigest()[:16]}"  # plotly's own differs every time
    config = {"displayModeBar": False, "responsive": True}
    return str(figure.to_html(full_html=False, include_plotlyjs=False, config=config, div_id=name))


def plotly_library() -> str:
    """plotly's own program, which every plot of a page needs once."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
