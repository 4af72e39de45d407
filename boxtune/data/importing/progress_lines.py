"""Data's import as lines of a log: how far it is, for a pipe and for a pod's log."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console

_EVERY = 10.0  # seconds between two lines


class LineListener:
    """A line when much time went by."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._what, self._total, self._done, self._said = "", 0, 0, time.monotonic()

    def __enter__(self) -> LineListener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to clean up."""

    def phase(self, what: str, total: int) -> None:
        self._what, self._total, self._done = what, total, 0

    def tick(self, steps: int) -> None:
        self._done += steps
        if time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            of = f" of {self._total}" if self._total else ""
            self._console.print(f"{self._what}: {self._done}{of}", soft_wrap=True, markup=False)
