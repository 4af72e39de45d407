"""A model's evaluation as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from boxtune.pages.figures import plotly_library
from boxtune.pages.rendering import render_page
from boxtune.report import plots
from boxtune.report.details import Details
from boxtune.report.metric_line import MetricLine
from boxtune.report.page import TEMPLATES, caption
from boxtune.report.text import number

_EXPLAINED = (
    "The ranges are where the value would lie on all images of the kind, nine times of ten: images (those of one group "
    "together) are drawn again and again from those that were measured. How far another seed would move it is no part."
)


def evaluation_page(
    title: str,
    about: str,
    lines: Sequence[MetricLine],
    details: Details,
    facts: Sequence[tuple[str, str]],
    warnings: Sequence[str] = (),
) -> str:
    """The page.

    Args:
        about: a sentence on what was measured.
        lines: the metrics; the first four stand above.
        facts: (name, value) of what makes it repeatable.
        warnings: what people should know.
    """
    curves = plots.precision_recall(details.classes) if details.classes else ""
    drawn = [each for each in lines if each.low is not None]
    filters: dict[str, Callable[..., str]] = {"number": number, "caption": caption}
    content = {
        "title": title,
        "about": about,
        "cards": lines[:4],
        "lines": lines,
        "warnings": warnings,
        "explained": _EXPLAINED if drawn else "",
        "forest": plots.forest(drawn) if drawn else "",
        "details": details,
        "curves": curves,
        "facts": facts,
        "plotly": plotly_library() if curves or drawn else "",
    }
    return render_page(TEMPLATES, "evaluation.html", filters, content)
