"""How far an import is: a bar on a terminal, a line every ten seconds in a pipe."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from boxtune.data.importing.passes import Listener
from boxtune.data.importing.progress_lines import LineListener


class ImportListener(Listener, AbstractContextManager["ImportListener"], Protocol):
    """A listener that cleans up after itself."""


def make_listener() -> ImportListener:
    """For standard error, which is a terminal or not."""
    console = Console(stderr=True, highlight=False)
    return BarListener(console) if console.is_terminal else LineListener(console)


class BarListener:
    """A bar; drawn by this process alone, since it forks."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, auto_refresh=False, transient=True)
        self._task: TaskID | None = None
        self._drawn = 0.0

    def __enter__(self) -> BarListener:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def phase(self, what: str, total: int) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(what, total=total or None)
        self._progress.refresh()

    def tick(self, steps: int) -> None:
        if self._task is not None:
            self._progress.advance(self._task, steps)
        if time.monotonic() - self._drawn > 0.1:  # noqa: PLR2004
            self._drawn = time.monotonic()
            self._progress.refresh()
