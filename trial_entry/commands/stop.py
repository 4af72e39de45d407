"""The command `stop`: end the trial that runs in a MODEL_DIR, and wait for it. A pod's preStop hook calls this.

A folder may be shared by pods whose process ids look alike; so a signal goes only to a process that is seen, from here,
to have the folder's very lock file open.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trial_entry.contract.exit_codes import EXIT_MEASURED
from trial_entry.contract.files import LOCK_FILE
from trial_entry.contract.requests import StopRequest
from trial_entry.errors import ModelDirError
from trial_entry.model_dir import local_model_dir, local_model_dirs, try_lock
from trial_entry.storage.urls import Remote

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_PROCESSES = Path("/proc")


@dataclass(frozen=True)
class _Holder:
    """The process that a lock file names.

    Attributes:
        process: its id.
        lock: the file.
    """

    process: int
    lock: Path

    def is_here(self) -> bool:
        """Whether it runs where this process sees it, with the file open: no other one that has the same id."""
        try:
            links = list((_PROCESSES / str(self.process) / "fd").iterdir())
        except OSError:  # it has ended, runs elsewhere, or is another user's
            return False
        return any(self._is_lock(link) for link in links)

    def _is_lock(self, link: Path) -> bool:
        try:
            return link.samefile(self.lock)
        except OSError:  # closed meanwhile
            return False


def stop(request: StopRequest) -> int:
    """Send SIGTERM to whoever holds the lock and wait until it does no more; returns the exit code.

    Raises:
        ModelDirError: no trial has run in the MODEL_DIR, its trial runs elsewhere, or one is still running after the
            time-out.
    """
    if request.model_root is not None:
        holders = list(_holders_below(request.model_root))
        where = f"below {request.model_root}"
    else:
        assert request.model_dir is not None  # one of the two is given
        holders = list(_holders_of(request.model_dir))
        where = f"in {request.model_dir}"
    if not holders:
        _LOG.info("no trial is running %s", where)
    for holder in holders:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.kill(holder.process, signal.SIGTERM)
    _wait(holders, request.timeout)
    return EXIT_MEASURED


def _holders_of(place: Path | Remote) -> Iterator[_Holder]:
    """The trial of a MODEL_DIR, if one runs."""
    file = local_model_dir(place) / LOCK_FILE
    try:
        with file.open("r") as lock:
            name = try_lock(lock)
    except OSError as error:
        raise ModelDirError(f"{file}: {error.strerror}; no trial was started with this --model_dir") from None
    if name is None:
        return
    holder = _Holder(int(name) if name.isdecimal() else 0, file)
    if not holder.is_here():
        raise ModelDirError(f"{file}: process {name} holds it, which cannot be seen from here; stop it where it runs")
    yield holder


def _holders_below(root: Path | Remote) -> Iterator[_Holder]:
    """The trials below a --model_root that run here; those of other pods and machines are theirs."""
    for folder in local_model_dirs(root):
        with suppress(OSError):  # given up meanwhile
            name = (folder / LOCK_FILE).read_text(encoding="ascii", errors="replace").strip()
            holder = _Holder(int(name) if name.isdecimal() else 0, folder / LOCK_FILE)
            if holder.is_here():
                yield holder


def _wait(holders: list[_Holder], seconds: float) -> None:
    """Raises ModelDirError where one is still there after so long."""
    deadline = time.monotonic() + seconds
    for holder in holders:
        while holder.is_here():
            if time.monotonic() > deadline:
                raise ModelDirError(f"process {holder.process} is still running after {seconds:g} seconds")
            time.sleep(_POLL_SECONDS)
        _LOG.info("process %d has ended", holder.process)
