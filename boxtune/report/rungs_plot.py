"""Report's plot of rungs: each training's objective from rung to rung, those that were promoted drawn on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from boxtune.pages.figures import BLUE, GREEN, GREY, figure_html
from boxtune.report.rungs import Climb, Point, Rungs, best_climb
from boxtune.report.text import assignment, number
from boxtune.runs.run import Run

_FEW_TICKS = 8


def rungs_plot(run: Run, rungs: Rungs) -> str:
    """One line a training across its rungs: grey where it was left, blue where it was trained whole, the best bold."""
    import plotly.graph_objects as go

    best = best_climb(run, rungs)
    others = [climb for climb in rungs.climbs if climb is not best]
    whole = [climb for climb in others if _is_whole(climb)]
    left = [climb for climb in others if not _is_whole(climb)]
    figure = go.Figure()
    for name, climbs, colour, width in (
        ("left at a rung", left, GREY, 1.0),
        ("trained whole", whole, BLUE, 1.5),
        ("best trial", [best] if best is not None else [], GREEN, 4.0),
    ):
        points = list(_joined(climbs))
        if points:
            figure.add_scatter(
                x=[point.place if point is not None else None for point in points],
                y=[point.value if point is not None else None for point in points],
                mode="lines+markers",
                name=name,
                line={"color": colour, "width": width},
                marker={"color": colour, "size": 5 + width},
                text=[_hover(rungs, point) if point is not None else "" for point in points],
                hovertemplate="%{text}<extra></extra>",
            )
    places = sorted({point.place for climb in rungs.climbs for point in climb.points if point.place is not None})
    base = run.baseline.value(run.experiment.objective) if run.baseline is not None else None
    if base is not None and places:
        ends = [places[0], places[-1]]
        figure.add_scatter(
            x=ends, y=[base] * 2, mode="lines", name="base config, whole", line={"dash": "dash", "color": GREY}
        )
    figure.update_xaxes(title=rungs.axis, type="log", **_ticks(places))
    figure.update_yaxes(title=run.experiment.objective.metric)
    return figure_html(figure, 360)


def _is_whole(climb: Climb) -> bool:
    return climb.points[-1].rung is None


def _joined(climbs: Iterable[Climb]) -> Iterable[Point | None]:
    """Their points, with a gap behind each climb: one trace for all, however many there are."""
    for climb in climbs:
        yield from (point for point in climb.points if point.place is not None)
        yield None


def _ticks(places: Sequence[float]) -> dict[str, object]:
    """At the rungs, while they are few."""
    if len(places) > _FEW_TICKS:
        return {}
    return {"tickvals": list(places), "ticktext": [f"{place:g}" for place in places]}


def _hover(rungs: Rungs, point: Point) -> str:
    at = f"{rungs.axis} {point.place:g}"
    lines = [f"{name} {assignment(value)}" for name, value in point.trial.assignments.items()]
    return "<br>".join([f"<b>{point.trial.name}: {number(point.value)}</b>", at, *lines])
