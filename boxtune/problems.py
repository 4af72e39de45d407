"""What is wrong with something that the user gave, as data: every finding of Boxtune is born as one of these.

A problem knows its place in the document, so that nobody has to read it back out of a sentence. It is written as a
sentence in one place, `__str__`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
# What `on_katib` says of what never becomes a trial.
REFUSED = "the webhook refuses the Experiment"
JOB_REFUSED = "accepted; the Job is refused, and the trial never starts"
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or that may not be meant.

    Attributes:
        severity: an error cannot work; a warning works otherwise than it looks; a note says what was not looked at.
        path: the field in the document, such as `spec.parameters.0.name`; empty for the whole.
        what: what is wrong.
        right: what would be right; empty where that goes without saying.
        on_katib: what happens on Katib; empty where it is the same everywhere.
        line: in the file, from 1; 0 where it is in none.
    """

    severity: Severity
    path: str
    what: str
    right: str = ""
    on_katib: str = ""
    line: int = 0

    @property
    def text(self) -> str:
        """What is wrong and what would be right, one sentence, without its place."""
        return f"{self.what}; {self.right}" if self.right else self.what

    @property
    def placed(self) -> str:
        """The sentence after the field's path."""
        return f"{self.path}: {self.text}" if self.path else self.text

    def __str__(self) -> str:
        katib = f" (on Katib: {self.on_katib})" if self.on_katib else ""
        return f"{self.severity}: {self.placed}{katib}"


def error(path: str, what: str, right: str = "", on_katib: str = "") -> Problem:
    """It cannot work."""
    return Problem("error", path, what, right, on_katib)


def warning(path: str, what: str, right: str = "", on_katib: str = "") -> Problem:
    """It works otherwise than it looks."""
    return Problem("warning", path, what, right, on_katib)


def note(path: str, what: str, right: str = "") -> Problem:
    """Something was not looked at."""
    return Problem("note", path, what, right)


def errors_of(problems: Sequence[Problem]) -> list[Problem]:
    """Those that cannot work."""
    return [each for each in problems if each.severity == "error"]
