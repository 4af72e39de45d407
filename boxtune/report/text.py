"""Sentences and numbers about a run."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from boxtune.runs.run import Run
from boxtune.runs.trial import Condition

_SIXTY = 60  # seconds of a minute, minutes of an hour


def number(value: float | None) -> str:
    """Four significant digits; a dash where there is no number."""
    return "–" if value is None else f"{value:.4g}"


def duration(seconds: float) -> str:
    """`48 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    minutes, rest = divmod(whole, _SIXTY)
    hours, more = divmod(minutes, _SIXTY)
    if not minutes:
        return f"{whole} s"
    if not hours:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{hours} h {more} min" if more else f"{hours} h"


def assignment(text: str) -> str:
    """An assigned value, short: numbers in four digits."""
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text


def seconds_left(run: Run) -> float | None:
    """An estimate of the time until the run is over; None before a trial has ended or where no end is set."""
    counts = run.experiment.counts
    durations = [trial.seconds for trial in run.everything if trial.condition is Condition.SUCCEEDED]
    if counts.most is None or not durations or any(trial.condition is Condition.PAUSED for trial in run.trials):
        return None
    mean = sum(durations) / len(durations)
    now = time.time()
    running = [
        min(mean, now - datetime.fromisoformat(trial.started).replace(tzinfo=UTC).timestamp())
        for trial in run.everything
        if trial.condition is Condition.RUNNING
    ]
    waiting = counts.most - sum(trial.condition.ended for trial in run.trials)
    waiting += run.baseline is not None and not run.baseline.condition.ended
    return max(0.0, (waiting * mean - sum(running)) / min(counts.parallel, max(1, waiting)))


def against_baseline(run: Run) -> str:
    """How the best trial compares with the base config's own values, one sentence; empty where there is no both."""
    best, baseline, objective = run.optimal, run.baseline, run.experiment.objective
    if best is None or baseline is None or baseline.condition is not Condition.SUCCEEDED:
        return ""
    value, base = best.value(objective), baseline.value(objective)
    if value is None or base is None:
        return ""
    if not objective.better(value, base):
        return f"no trial is better than the base config's own values ({objective.metric} {number(base)})"
    times = f"{value / base:.2g}" if base > 0 and value > 0 else "1"
    ratio = f", {times} times" if times != "1" else ""
    return f"the base config's own values gave {number(base)}: a difference of {value - base:+.4g}{ratio}"
