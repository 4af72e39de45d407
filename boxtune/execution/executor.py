"""Runs jobs on this machine: as many at a time as it has room for, none longer than it should, none outliving it."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from boxtune.errors import ExperimentError
from boxtune.execution.jobs import EndedJob, Job, RunningJob
from boxtune.execution.processes import Processes
from boxtune.execution.resources import Shares
from boxtune.execution.servers import MOST_SERVERS, TrialServers

LOOK_SECONDS = 1.0
_GRACE_SECONDS = 60.0  # for a checkpoint, between SIGTERM and SIGKILL
_REAP_SECONDS = 0.02
_NO_LIMIT = float("inf")


class Executor:
    """A context manager; what runs when it is left is killed."""

    def __init__(
        self, folder: Path, lock: Path, shares: Shares, stall_seconds: float = _NO_LIMIT, cold: bool = False
    ) -> None:
        """
        Args:
            folder: gets the log of the servers that start jobs.
            lock: a file that is locked until the last process is gone.
            shares: of cores, memory and GPUs.
            stall_seconds: a job without output or processor time for this long is ended.
            cold: start every job as a program of its own, rather than from a server that has its imports done.

        Raises:
            RunFolderError: an earlier executor's processes are still there.
        """
        self._shares = shares
        self._stall_seconds = stall_seconds
        self._processes = Processes(lock)
        self._servers = TrialServers(self._processes, folder, most=0 if cold else MOST_SERVERS)
        self._running: dict[str, RunningJob] = {}
        self._looked = 0.0
        self._largest = 0  # bytes, of a job so far

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._servers.__exit__(kind, error, trace)
        self._processes.__exit__(kind, error, trace)

    @property
    def running(self) -> Mapping[str, Job]:
        """The jobs that run, by name."""
        return {name: running.job for name, running in self._running.items()}

    def has_room(self) -> bool:
        """Whether one more job can be started."""
        return self._shares.room(len(self._running), self._largest)

    def start(self, job: Job) -> None:
        """Start a job, with its share of the machine.

        Raises:
            ExperimentError: it cannot be started.
        """
        environment = {**job.environment, **self._shares.take(job.name)}
        try:
            process = self._servers.start(job.argv, environment, job.folder, job.log)
        except OSError as error:
            self._shares.give_back(job.name)
            where = "" if job.folder.is_dir() else f" in {job.folder}"
            raise ExperimentError(f"{job.argv[0]}: cannot be started{where}: {error.strerror}") from None
        self._running[job.name] = RunningJob(job, process)

    def wait(self, wakeup: int | None = None) -> None:
        """Until a job ends, the descriptor `wakeup` is readable, or a second has gone by."""
        descriptors = [running.process.descriptor for running in self._running.values()]
        select.select([*descriptors, *([wakeup] if wakeup is not None else [])], [], [], LOOK_SECONDS)

    def end_overdue(self) -> bool:
        """Once a second, kill what runs too long or hangs; returns whether it looked."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return False
        self._looked = time.monotonic()
        for running in self._running.values():
            why = running.overdue(self._stall_seconds)
            self._largest = max(self._largest, running.memory)
            if why:
                running.kill(why)
        return True

    def collect_ended(self) -> list[EndedJob]:
        """The jobs that have ended since the last call; their shares are free again."""
        ended = []
        for name, running in list(self._running.items()):
            code = running.process.reap()
            if code is not None:
                del self._running[name]
                self._shares.give_back(name)
                ended.append(EndedJob(running.job, code, running.seconds, running.process.group, running.why))
        return ended

    def terminate(self, name: str) -> None:
        """Ask a job to save and end."""
        self._running[name].process.terminate()

    def kill_all(self) -> list[EndedJob]:
        """End every job at once."""
        for running in self._running.values():
            running.process.kill()
        return self.collect_ended()

    def terminate_all(self, impatient: Callable[[], bool]) -> None:
        """Ask every job to save and end, and wait; those that take longer than a minute are killed.

        Args:
            impatient: whether to kill them now.
        """
        for running in self._running.values():
            running.process.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        while self._running:
            self.collect_ended()
            if time.monotonic() > deadline or impatient():
                self.kill_all()
            time.sleep(_REAP_SECONDS)
