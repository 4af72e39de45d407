"""A metric with its interval, as tables and pages show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricLine:
    """One metric.

    Attributes:
        name: its name.
        value: as measured.
        low, high: its interval; None where there is none.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.4f}"
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"
