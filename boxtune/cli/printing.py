"""The terminal or a pipe, and a run on it."""

from __future__ import annotations

from rich.console import Console

from boxtune.report.table import shown_trials
from boxtune.report.verdict import verdict
from boxtune.runs.run import Run
from trial_entry.storage.naming import stand_ins

_PIPE_WIDTH = 160  # where there is no terminal to ask


def console(pipe_width: int = _PIPE_WIDTH) -> Console:
    """As wide as the terminal, or as is said where there is none."""
    return Console(width=None if Console().is_terminal else pipe_width, highlight=False)


def print_run(run: Run) -> None:
    """The table of its trials, what they have to say, and the verdict."""
    out = console()
    shown = shown_trials(run, out)
    out.print(shown.table)
    for line in (*shown.notes, *verdict(run)):
        out.print(stand_ins().named(line), soft_wrap=True)
