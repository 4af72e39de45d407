"""One thing that is wrong, or that may not be meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        severity: an error cannot work; a warning works otherwise than it looks; a note says what was not looked at.
        path: the field, such as `spec.parameters.0.name`; empty for the whole.
        text: what is wrong, and what would be right.
        on_katib: what happens on Katib, empty where it is the same everywhere.
        line: in the file, from 1.
    """

    severity: Severity
    path: str
    text: str
    on_katib: str = ""
    line: int = 1

    def __str__(self) -> str:
        field = f"{self.path}: " if self.path else ""
        katib = f" (on Katib: {self.on_katib})" if self.on_katib else ""
        return f"{self.severity}: {field}{self.text}{katib}"


def error(path: str, text: str, on_katib: str = "") -> Finding:
    """It cannot work."""
    return Finding("error", path, text, on_katib)


def warning(path: str, text: str, on_katib: str = "") -> Finding:
    """It works otherwise than it looks."""
    return Finding("warning", path, text, on_katib)


def note(path: str, text: str) -> Finding:
    """Something was not looked at."""
    return Finding("note", path, text)
