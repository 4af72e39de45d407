"""Moments as Kubernetes gives them, and as a run keeps them."""

from __future__ import annotations

from datetime import UTC, datetime


def as_text(moment: datetime | None) -> str:
    """RFC 3339 in UTC, to the second; empty for None."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else ""


def seconds_between(started: datetime | None, ended: datetime | None) -> float:
    """How long something took; 0 while it has not begun or not ended."""
    return (ended - started).total_seconds() if started is not None and ended is not None else 0.0
