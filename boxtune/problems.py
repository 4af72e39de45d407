"""What is wrong with something that the user gave, as data: every finding of Boxtune is born as one of these.

A problem knows its place in the document, so that nobody has to read it back out of a sentence. It is written as a
sentence in one place, `__str__`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trial_entry.printable import printable

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
        config: the pipeline.config whose field `path` is; empty where it is the document's own.
        config_line: in the config, from 1, of the field or of what it lies in; 0 where it is not known.
    """

    severity: Severity
    path: str
    what: str
    right: str = ""
    on_katib: str = ""
    line: int = 0
    config: str = ""
    config_line: int = 0

    @property
    def text(self) -> str:
        """What is wrong and what would be right, one sentence, without its place."""
        return f"{self.what}; {self.right}" if self.right else self.what

    @property
    def placed(self) -> str:
        """The sentence after the config's name and the field's path."""
        config = f"{self.config}:{self.config_line}" if self.config_line else self.config
        return ": ".join(part for part in (config, self.path, self.text) if part)

    def __str__(self) -> str:
        katib = f" (on Katib: {self.on_katib})" if self.on_katib else ""
        return printable(f"{self.severity}: {self.placed}{katib}")


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


def with_article(kind: str) -> str:
    """The name of a kind as a sentence has it: a Job, an Ingress, an MPIJob."""
    spelled = kind[:1] in "FHLMNRSX" and kind[1:2].isupper()  # MPI begins as "em" does
    return f"{'an' if spelled or kind[:1] in 'AEIO' else 'a'} {kind}"
