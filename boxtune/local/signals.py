"""SIGINT and SIGTERM end a run in order."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType


class Signals:
    """Within, the two signals are kept rather than ending the process; a context manager, in the main thread.

    Attributes:
        received: those that came, in their order.
        wakeup: a descriptor that is readable once one came, so that whoever waits on others can wait on it too.
    """

    def __init__(self) -> None:
        self.received: list[signal.Signals] = []
        self.wakeup = -1
        self._writer = -1

    def __enter__(self) -> Signals:
        self.wakeup, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._descriptor = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._descriptor)
        os.close(self.wakeup)
        os.close(self._writer)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received.append(signal.Signals(number))
