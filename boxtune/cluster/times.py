"""Moments as Kubernetes gives them, and as a run keeps them."""

from __future__ import annotations

from datetime import UTC, datetime

from boxtune.runs.trial import Attempt


def as_text(moment: datetime | None) -> str:
    """RFC 3339 in UTC, to the second; empty for None."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else ""


def attempts(started: datetime | None, ended: datetime | None, exit_code: int | None) -> tuple[Attempt, ...]:
    """The one attempt that a cluster tells of; none while it has not begun."""
    if started is None:
        return ()
    seconds = (ended - started).total_seconds() if ended is not None else 0.0
    return (Attempt(as_text(started), as_text(ended), None, seconds, exit_code),)
