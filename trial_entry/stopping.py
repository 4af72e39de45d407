"""SIGTERM: end soon, but with a checkpoint.

Until there is something to save, and while a graph is traced, the signal ends the trial at once. Otherwise it only sets
a flag, which training looks at between steps, so that no step and no file is left half done.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from trial_entry.errors import Stopped


class StopSignal:
    """Listens for SIGTERM from its creation on; create it in the main thread."""

    def __init__(self) -> None:
        self._requested = False
        self._deferred = False
        signal.signal(signal.SIGTERM, self._received)

    def _received(self, number: int, frame: FrameType | None) -> None:
        first, self._requested = not self._requested, True
        if first and not self._deferred:  # a second signal must not interrupt the writing of why the trial ended
            raise Stopped("stopped by SIGTERM before the first step")

    def defer(self) -> None:
        """From now on only `check` raises."""
        self._deferred = True
        self.check()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within, the signal ends the trial at once again: for what takes long and leaves nothing half done."""
        self._deferred = False
        try:
            self.check()
            yield
        finally:
            self._deferred = True

    def check(self) -> None:
        """Raises Stopped if SIGTERM has arrived."""
        if self._requested:
            raise Stopped("stopped by SIGTERM")
