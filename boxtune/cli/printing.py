"""A run on the terminal or in a pipe."""

from __future__ import annotations

from rich.console import Console

from boxtune.report.table import trials_table
from boxtune.report.text import verdict
from boxtune.runs.run import Run

_PIPE_WIDTH = 160  # where there is no terminal to ask


def print_run(run: Run) -> None:
    """The table of its trials, and the verdict."""
    console = Console(width=None if Console().is_terminal else _PIPE_WIDTH, highlight=False)
    console.print(trials_table(run))
    for line in verdict(run):
        console.print(line, soft_wrap=True)
