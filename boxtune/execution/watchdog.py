"""Outlives a killed runner just long enough to kill its trials. A program of its own: standard library only.

Its standard input is a pipe from the runner, on which `+PGID` and `-PGID` lines say which process groups run. When
the pipe ends, however the runner died, every group that is left is killed. Descriptor 3 holds a lock until they are
gone, which the next runner waits for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

_PATIENCE_SECONDS = 10.0


def main() -> None:
    """Listen, then kill."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    kill_groups(groups)


def kill_groups(groups: set[int]) -> None:
    """SIGKILL to every process group, and wait until none has a live process."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    while any(alive(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.005)


def alive(group: int) -> bool:
    """Whether a process of the group runs; one that has ended and waits for its parent does not count."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                state, _, process_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(process_group) == group and state not in "ZX":
                    return True
    return False


if __name__ == "__main__":
    main()
