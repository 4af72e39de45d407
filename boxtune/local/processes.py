"""Trial processes: each a session of its own, none outliving the runner."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from boxtune.errors import RunFolderError
from boxtune.local import watchdog

_PR_SET_PDEATHSIG = 1
_LOCK_SECONDS = 15.0
_LIBC = ctypes.CDLL(None, use_errno=True)  # looked up before any fork


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

    def start(self, argv: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> TrialProcess:
        """Run `argv` in `folder`, standard output and error merged at the end of `log`.

        Raises:
            OSError: it cannot be started.
        """
        runner, pipe = os.getpid(), self._pipe

        def before_exec() -> None:
            # Registered before the program begins: a runner killed in between leaves no unknown process.
            os.write(pipe, b"+%d\n" % os.getpid())
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != runner:
                os._exit(1)

        with log.open("ab") as opened:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=opened,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=before_exec,
            )
        return TrialProcess(process, self)

    def forget(self, group: int) -> None:
        """The group is gone; its number may be given to others."""
        os.write(self._pipe, b"-%d\n" % group)


class TrialProcess:
    """One running trial."""

    def __init__(self, process: subprocess.Popen[bytes], processes: Processes) -> None:
        self._process = process
        self._processes = processes
        self.group = process.pid
        self.started = time.monotonic()
        self.descriptor = os.pidfd_open(process.pid)

    def poll(self) -> int | None:
        """The exit code once it has ended (negative for a signal); what is left of its group is killed then."""
        code = self._process.poll()
        if code is not None and self.descriptor >= 0:
            self._bury()
        return code

    def terminate(self) -> None:
        """SIGTERM to the whole group."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the whole group, and wait."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        self.poll()

    def processor_seconds(self) -> float:
        """Processor time of the group's living processes so far."""
        import psutil

        total = 0.0
        for process in psutil.process_iter(["pid", "cpu_times"]):
            try:
                if os.getpgid(process.pid) == self.group:
                    times = process.info["cpu_times"]
                    total += times.user + times.system
            except (ProcessLookupError, psutil.Error):
                continue
        return total

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.group, number)
        except ProcessLookupError:
            return

    def _bury(self) -> None:
        os.close(self.descriptor)
        self.descriptor = -1
        if watchdog.alive(self.group):
            watchdog.kill_groups({self.group})
        self._processes.forget(self.group)


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
