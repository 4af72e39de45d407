"""A process that ends with the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)  # looked up before any fork


def die_with_parent(parent: int) -> None:
    """From now on the kernel kills this process when `parent` ends; ends at once where it already has.

    For use between a fork and what the new process is for.

    Args:
        parent: process id of whoever forked.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
