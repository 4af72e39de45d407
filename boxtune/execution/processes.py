"""Trial processes: each a session of its own, none outliving the runner."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from boxtune.errors import RunFolderError
from boxtune.execution import watchdog
from trial_entry.parent import die_with_parent

_LOCK_SECONDS = 15.0


class Processes:
    """Starts trial processes and makes sure that they end; a context manager.

    A watchdog process beside the runner kills what is left when the runner dies, even of SIGKILL; and a direct
    child is killed by the kernel besides. `lock` is a file whose lock the watchdog holds.
    """

    def __init__(self, lock: Path) -> None:
        """
        Raises:
            RunFolderError: an earlier run's processes are still there.
        """
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _wait_for_lock(descriptor, lock)
            reader, self._pipe = os.pipe()
            self._watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", watchdog.__file__],
                stdin=reader,
                stdout=subprocess.DEVNULL,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
            os.close(reader)
        finally:
            os.close(descriptor)  # the watchdog's copy keeps the lock

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._pipe)
        self._watchdog.wait()

    def start(self, argv: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> ChildProcess:
        """Run `argv` in `folder`, standard output and error merged at the end of `log`.

        Raises:
            OSError: it cannot be started.
        """
        runner = os.getpid()

        def before_exec() -> None:
            self.register(os.getpid())
            die_with_parent(runner)

        with log.open("ab") as opened:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=opened,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=before_exec,  # noqa: PLW1509 (whoever starts processes here has one thread)
            )
        return ChildProcess(process, self)

    def register(self, group: int) -> None:
        """A group to kill when the runner dies; before its program begins, so that none is unknown."""
        os.write(self._pipe, b"+%d\n" % group)

    def forget(self, group: int) -> None:
        """The group is gone; its number may be given to others."""
        os.write(self._pipe, b"-%d\n" % group)


@dataclass(frozen=True)
class Usage:
    """Of a group of processes: processor time, and resident memory in bytes (what a fork shares counts in full)."""

    processor_seconds: float
    memory: int


class TrialProcess(ABC):
    """One running trial.

    Attributes:
        group: its process group; None while it has none yet.
        started: when, by the monotonic clock.
        descriptor: readable when `reap` may have news; -1 once it has ended.
    """

    def __init__(self, processes: Processes, group: int | None, descriptor: int) -> None:
        self._processes = processes
        self.group = group
        self.started = time.monotonic()
        self.descriptor = descriptor

    @abstractmethod
    def reap(self) -> int | None:
        """The exit code once it has ended (negative for a signal), else None; kills what is left of its group then."""

    @abstractmethod
    def terminate(self) -> None:
        """SIGTERM to the whole group."""

    @abstractmethod
    def kill(self) -> None:
        """SIGKILL to the whole group, and wait."""

    def usage(self) -> Usage:
        """What the group's living processes have used so far."""
        import psutil

        seconds, memory = 0.0, 0
        if self.group is None:
            return Usage(seconds, memory)
        for process in psutil.process_iter(["pid", "cpu_times", "memory_info"]):
            try:
                if os.getpgid(process.pid) == self.group:
                    times = process.info["cpu_times"]
                    seconds += times.user + times.system
                    memory += process.info["memory_info"].rss
            except (ProcessLookupError, psutil.Error):
                continue
        return Usage(seconds, memory)

    def _signal(self, number: signal.Signals) -> None:
        if self.group is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.group, number)

    def _bury(self) -> None:
        """It has ended: nothing of its group stays."""
        os.close(self.descriptor)
        self.descriptor = -1
        if self.group is not None:
            if watchdog.alive(self.group):
                watchdog.kill_groups({self.group})
            self._processes.forget(self.group)


class ChildProcess(TrialProcess):
    """A program of its own, started by the runner."""

    def __init__(self, process: subprocess.Popen[bytes], processes: Processes) -> None:
        super().__init__(processes, process.pid, os.pidfd_open(process.pid))
        self._process = process

    def reap(self) -> int | None:
        code = self._process.poll()
        if code is not None and self.descriptor >= 0:
            self._bury()
        return code

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._process.wait()
        self.reap()


def _wait_for_lock(descriptor: int, file: Path) -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RunFolderError(f"{file}: processes of an earlier run are still there") from None
            time.sleep(0.01)
        else:
            return
