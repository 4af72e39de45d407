"""Metric lines on standard output, which Katib's collector and Boxtune's read.

Katib merges stdout and stderr and looks for `NAME=VALUE`; descriptor 1 is therefore kept for metrics alone,
and everybody else's prints (pycocotools', TensorFlow's) go to descriptor 2.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

_MICROSECOND = timedelta(microseconds=1)


def format_timestamp(moment: datetime) -> str:
    """RFC 3339, UTC, with microseconds: `2026-11-24T10:00:00.123456Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_timestamp(text: str) -> datetime:
    """The inverse of `format_timestamp`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


class MetricStream:
    """Owns descriptor 1; created once, before anything prints."""

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        os.dup2(2, 1)

    def write(self, timestamp: str, metrics: Mapping[str, float]) -> None:
        """One line a metric, each a single `write()`; the first at `timestamp`, each next a microsecond later."""
        moment = parse_timestamp(timestamp)
        for name, value in metrics.items():
            os.write(self._descriptor, f"{format_timestamp(moment)} {name}={value!r}\n".encode())
            moment += _MICROSECOND


def next_timestamp(last: str | None, metrics_in_last: int) -> str:
    """Now, or just after the last row's lines if the clock has not moved beyond them (or was set back)."""
    now = datetime.now(UTC)
    if last is not None:
        now = max(now, parse_timestamp(last) + metrics_in_last * _MICROSECOND)
    return format_timestamp(now)
