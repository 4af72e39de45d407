"""Progress of a run: a live table on a terminal, plain lines in a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from boxtune.local.options import Listener
from boxtune.local.outcome import last_words
from boxtune.report.progress_lines import PlainListener, standing
from boxtune.report.table import shown_trials
from boxtune.runs.run import Run

_TABLE_MARGIN = 8  # lines of the terminal that the table leaves to headings and progress
_LEAST_ROWS, _MOST_NOTES = 4, 4


class RunListener(Listener, AbstractContextManager["RunListener"], Protocol):
    """A listener that cleans up after itself."""


def make_listener(console: Console) -> RunListener:
    """The listener for this console."""
    return LiveListener(console) if console.is_terminal else PlainListener(console)


class LiveListener:
    """A table that is redrawn in place; from the runner's own thread, since it forks."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> LiveListener:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def notice(self, text: str) -> None:
        self._console.print(f"note: {text}", markup=False)

    def changed(self, run: Run) -> None:
        self._draw(run, {})

    def tick(self, run: Run, running: Mapping[str, Path]) -> None:
        self._draw(run, running)

    def _draw(self, run: Run, running: Mapping[str, Path]) -> None:
        lines = [Text(f"{name}: {last_words(log)}", style="dim", no_wrap=True) for name, log in running.items()]
        said = [Text(note, overflow="fold") for note in shown_trials(run, self._console).notes[-_MOST_NOTES:]]
        below = sum(len(note.wrap(self._console, self._console.width)) for note in said) + len(lines)
        rows = max(_LEAST_ROWS, self._console.height - _TABLE_MARGIN - below)
        table = shown_trials(run, self._console, rows).table
        self._live.update(Group(table, *said, *lines, Text(standing(run), style="bold")), refresh=True)
