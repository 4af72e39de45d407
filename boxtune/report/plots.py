"""A run's plots, by plotly, as pieces of the report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from boxtune.experiment.space import ParameterSpec
from boxtune.pages.figures import BLUE, COLOURS, GREEN, GREY, SCALE, figure_html
from boxtune.report.metric_line import MetricLine
from boxtune.report.shares import Importance
from boxtune.report.text import assignment, number
from boxtune.runs.run import Run
from boxtune.runs.trial import Trial
from trial_entry.contract.records import ClassRecord

_CROWDED = 20  # trials, of which not each gets a tick
_WIDE = 4  # axes, above which their names would touch
_LEAST_TICKS = 3


def history(run: Run) -> str:
    """Every trial's value, the best so far, and the baseline."""
    import plotly.graph_objects as go

    objective, measured = run.experiment.objective, measured_trials(run)
    values = [_value(run, trial) for trial in measured]
    best, so_far = [], None
    for value in values:
        so_far = value if so_far is None or objective.better(value, so_far) else so_far
        best.append(so_far)
    numbers = [(trial.number or 0) + 1 for trial in measured]
    figure = go.Figure()
    figure.add_scatter(x=numbers, y=best, mode="lines", name="best so far", line={"shape": "hv", "color": GREEN})
    figure.add_scatter(
        x=numbers,
        y=values,
        mode="markers",
        name="trial",
        marker={"color": BLUE, "size": 8},
        text=[_hover(run, trial) for trial in measured],
        hovertemplate="%{text}<extra></extra>",
    )
    baseline = run.baseline.value(objective) if run.baseline is not None else None
    if baseline is not None and numbers:
        ends = [min(numbers), max(numbers)]
        figure.add_scatter(
            x=ends, y=[baseline] * 2, mode="lines", name="base config", line={"dash": "dash", "color": GREY}
        )
    figure.update_xaxes(title="trial", dtick=1 if len(numbers) < _CROWDED else None)
    figure.update_yaxes(title=objective.metric)
    return figure_html(figure, 340)


def parallel_coordinates(run: Run) -> str:
    """One line a trial across all parameters to the objective; drag along an axis to single some out."""
    import plotly.graph_objects as go

    measured = measured_trials(run)
    values = [_value(run, trial) for trial in measured]
    dimensions = [_dimension(spec, [trial.assignments[spec.name] for trial in measured]) for spec in _specs(run)]
    dimensions.append({"label": run.experiment.objective.metric, "values": values})
    figure = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={"color": values, "colorscale": SCALE, "reversescale": not run.experiment.objective.maximize},
            labelangle=-12 if len(dimensions) > _WIDE else 0,
        )
    )
    return figure_html(figure, 380, {"l": 70, "r": 60, "t": 70, "b": 24})


def slices(run: Run) -> str:
    """The objective against each parameter alone."""
    from plotly.subplots import make_subplots

    specs, measured = _specs(run), measured_trials(run)
    columns = min(3, len(specs))
    rows = math.ceil(len(specs) / columns)
    figure = make_subplots(
        rows=rows, cols=columns, shared_yaxes=True, horizontal_spacing=0.04, vertical_spacing=0.22 / rows
    )
    values = [_value(run, trial) for trial in measured]
    for place, spec in enumerate(specs):
        row, column = place // columns + 1, place % columns + 1
        figure.add_scatter(
            x=[
                trial.assignments[spec.name] if spec.values else float(trial.assignments[spec.name])
                for trial in measured
            ],
            y=values,
            mode="markers",
            marker={"color": [trial.number for trial in measured], "colorscale": SCALE, "size": 8},
            text=[_hover(run, trial) for trial in measured],
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
            row=row,
            col=column,
        )
        figure.update_xaxes(title=spec.name, **_scale(spec), row=row, col=column)
    figure.update_yaxes(title=run.experiment.objective.metric, col=1)
    return figure_html(figure, 280 * rows)


def importance(found: Importance) -> str:
    """How much of the objective's variation each parameter explains, and each two; grey what is told from chance by
    nothing.
    """
    import plotly.graph_objects as go

    shares = [*found.parameters, *found.pairs, found.rest][::-1]
    figure = go.Figure(
        go.Bar(
            x=[each.value for each in shares],
            y=[" x ".join(each.names) or "chance, and the rest" for each in shares],
            orientation="h",
            marker={"color": [BLUE if each.names and each.is_told else GREY for each in shares]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [each.high - each.value for each in shares],
                "arrayminus": [each.value - each.low for each in shares],
                "thickness": 1.5,
            },
            hovertext=[f"{each.value:.0%} ({each.low:.0%} to {each.high:.0%})" for each in shares],
            hoverinfo="text",
        )
    )
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(automargin=True)
    return figure_html(figure, 90 + 34 * len(shares))


def precision_recall(classes: Sequence[ClassRecord]) -> str:
    """Precision over recall at IoU 0.5, one line a class."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for place, each in enumerate(classes):
        figure.add_scatter(
            x=[step / (len(each.curve) - 1) for step in range(len(each.curve))],
            y=each.curve,
            mode="lines",
            name=f"{each.name} ({number(each.average_precision_50)})",
            line={"color": COLOURS[place % len(COLOURS)]},
        )
    figure.update_xaxes(title="recall", range=[-0.01, 1.01])
    figure.update_yaxes(title="precision", range=[-0.02, 1.02])
    return figure_html(figure, 380)


def forest(lines: Sequence[MetricLine]) -> str:
    """Each metric with its interval, one below the other."""
    import plotly.graph_objects as go

    shown = [(each.name, each.value, each.low, each.high) for each in reversed(lines)]
    figure = go.Figure(
        go.Scatter(
            x=[value for _, value, _, _ in shown],
            y=[name for name, _, _, _ in shown],
            mode="markers",
            marker={"color": BLUE, "size": 9},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [max(0.0, (high if high is not None else value) - value) for _, value, _, high in shown],
                "arrayminus": [max(0.0, value - (low if low is not None else value)) for _, value, low, _ in shown],
                "color": BLUE,
            },
            showlegend=False,
        )
    )
    figure.update_xaxes(range=[-0.01, 1.01])
    figure.update_yaxes(automargin=True)
    return figure_html(figure, 90 + 30 * len(shown))


def measured_trials(run: Run) -> list[Trial]:
    """The suggested trials that have a value and every parameter, in order."""
    names = {spec.name for spec in run.experiment.parameters}
    return [
        trial
        for trial in run.trials
        if trial.condition.measured
        and trial.value(run.experiment.objective) is not None
        and names <= trial.assignments.keys()
    ]


def _specs(run: Run) -> Sequence[ParameterSpec]:
    return run.experiment.parameters


def _value(run: Run, trial: Trial) -> float:
    value = trial.value(run.experiment.objective)
    assert value is not None
    return value


def _hover(run: Run, trial: Trial) -> str:
    lines = [f"{name} {assignment(value)}" for name, value in trial.assignments.items()]
    return "<br>".join([f"<b>{trial.name}: {number(_value(run, trial))}</b>", *lines])


def _scale(spec: ParameterSpec) -> dict[str, Any]:
    if spec.values:
        return {"type": "category", "categoryorder": "array", "categoryarray": list(spec.values)}
    if not spec.distribution.startswith("log"):
        return {"type": "linear"}
    ticks = _log_ticks(spec.low, spec.high)
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def _log_ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`: powers of ten where there are enough, else with 2 and 5 between them."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1,), (1, 3), (1, 2, 5)):
        ticks = [float(f"{digit}e{exponent}") for exponent in exponents for digit in digits]
        within = [tick for tick in ticks if low <= tick <= high]
        if len(within) >= _LEAST_TICKS:
            return within
    return within or [low, high]


def _dimension(spec: ParameterSpec, texts: Sequence[str]) -> dict[str, Any]:
    """An axis of the parallel coordinates."""
    if spec.values:
        places = range(len(spec.values))
        return {
            "label": spec.name,
            "values": [spec.index_of(text) for text in texts],
            "tickvals": list(places),
            "ticktext": list(spec.values),
            "range": [-0.2, len(spec.values) - 0.8],
        }
    if spec.distribution.startswith("log"):
        ticks = _log_ticks(spec.low, spec.high)
        return {
            "label": spec.name,
            "values": [math.log10(float(text)) for text in texts],
            "range": [math.log10(spec.low), math.log10(spec.high)],
            "tickvals": [math.log10(tick) for tick in ticks],
            "ticktext": [f"{tick:g}" for tick in ticks],
        }
    return {"label": spec.name, "values": [float(text) for text in texts], "range": [spec.low, spec.high]}
