"""Katib's metrics collector: metrics from a trial's merged output, by RE2, as Go reads them.

Source: `pkg/metricscollector/v1beta1/file-metricscollector/file-metricscollector.go` and `getMetrics` in
`pkg/controller.v1beta1/trial/trial_controller_util.go`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import re2

from boxtune.experiment.source import JsonObject
from boxtune.runs.trial import UNAVAILABLE, Metric, measurement

_ZERO_TIME = datetime(1, 1, 1, tzinfo=UTC)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class MetricLog:
    """One value that was read.

    Attributes:
        time: of the line, or the zero time where it begins with none.
        name, value: as text.
    """

    time: datetime
    name: str
    value: str


def collect(file: Path, metrics: Sequence[str], filters: Sequence[str], file_format: str = "TEXT") -> dict[str, Metric]:
    """The metrics in `file`, as `collect_text` finds them; nothing where there is no such file."""
    return collect_text(_text_of(file), metrics, filters, file_format)


def collect_text(
    text: str, metrics: Sequence[str], filters: Sequence[str], file_format: str = "TEXT"
) -> dict[str, Metric]:
    """The metrics in a trial's output, by name: the least, greatest and latest value of each.

    Args:
        metrics: names; the objective's first.
        filters: RE2 expressions, the first group the name and the second the value.

    Returns:
        Nothing at all where the objective's metric was never printed, as on Katib.
    """
    lines = text.split("\n")
    logs = list(_json(lines, metrics) if file_format == "JSON" else _text(lines, metrics, filters))
    if not any(log.name == metrics[0] for log in logs):
        return {}
    return _summarize(logs, metrics)


def objective_values(file: Path, metric: str, filters: Sequence[str], file_format: str = "TEXT") -> tuple[float, ...]:
    """Every finite number that was printed of `metric` so far, in the order of the file."""
    lines = _lines(file)
    logs = _json(lines, [metric]) if file_format == "JSON" else _text(lines, [metric], filters)
    return tuple(value for log in logs if (value := measurement(log.value)) is not None)


def named_line(file: Path, metric: str) -> str:
    """The last line that has `metric` as a word and a digit after it, whatever the filters find; empty without one."""
    word = re.compile(rf"(?<![\w-]){re.escape(metric)}(?![\w-]).*\d")
    return next((line.strip() for line in reversed(_lines(file)) if word.search(line)), "")


def comma_line(file: Path, metric: str) -> str:
    """The last line that has a value of `metric` with a decimal comma, which the default filter reads up to the comma;
    empty without one.
    """
    comma = re.compile(rf"(?<![\w-]){re.escape(metric)}\s*=\s*[+-]?\d+,\d+(?![\d,])(?!\s*,)")
    return next((line.strip() for line in reversed(_lines(file)) if comma.search(line)), "")


def _lines(file: Path) -> list[str]:
    return _text_of(file).split("\n")


def _text_of(file: Path) -> str:
    """Empty where there is no such file."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def is_json_number(file: Path, metric: str) -> bool:
    """Whether a line of a JSON file has `metric` as a number, which Katib's collector passes over: it reads texts."""
    return any(isinstance(each.get(metric), int | float) for each in _objects(_lines(file)))


def _objects(lines: Iterable[str]) -> Iterator[JsonObject]:
    """The JSON objects among the lines."""
    for line in filter(None, lines):
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):  # no JSON, a number of thousands of digits, lists in lists in lists …
            continue
        if isinstance(values, dict):
            yield values


def _text(lines: Iterable[str], metrics: Sequence[str], filters: Sequence[str]) -> Iterator[MetricLog]:
    expressions = [re2.compile(text) for text in filters]
    for line in lines:
        if not any(name in line for name in metrics):
            continue
        moment = _moment(line.partition(" ")[0]) or _ZERO_TIME
        for expression in expressions:
            for found in expression.finditer(line):
                name, value = (found.group(1) or "").strip(), (found.group(2) or "").strip()
                if name in metrics:
                    yield MetricLog(moment, name, value)


def _json(lines: Iterable[str], metrics: Sequence[str]) -> Iterator[MetricLog]:
    for values in _objects(lines):
        moment = _json_moment(values.get("timestamp")) or _ZERO_TIME
        for name in metrics:
            if isinstance(values.get(name), str):
                yield MetricLog(moment, name, values[name])


def _json_moment(stamp: object) -> datetime | None:
    if isinstance(stamp, int | float):
        try:
            return datetime.fromtimestamp(stamp, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return _moment(stamp) if isinstance(stamp, str) else None


def _moment(text: str) -> datetime | None:
    """An RFC 3339 timestamp, or None; Python keeps six of Go's nine digits of a second."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(text.replace(found.group(1), found.group(1)[:7]) if found.group(1) else text)
    except ValueError:
        return None


def _summarize(logs: Sequence[MetricLog], metrics: Sequence[str]) -> dict[str, Metric]:
    summary = {name: Metric(name) for name in metrics}
    latest: dict[str, datetime] = {}
    for log in logs:
        metric = summary[log.name]
        minimum, maximum, newest = metric.minimum, metric.maximum, metric.latest
        value = measurement(log.value)
        if value is not None:
            minimum = log.value if minimum == UNAVAILABLE or value < float(minimum) else minimum
            maximum = log.value if maximum == UNAVAILABLE or value > float(maximum) else maximum
        if log.name not in latest or log.time >= latest[log.name]:
            latest[log.name], newest = log.time, log.value
        summary[log.name] = Metric(log.name, minimum, maximum, newest)
    return summary
