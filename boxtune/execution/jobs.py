"""A job, while it runs and after: one process of a trial, as whoever asked for it sees it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxtune.execution.processes import TrialProcess


@dataclass(frozen=True)
class Job:
    """What is to be run.

    Attributes:
        name: unique among those that run.
        argv: what is executed.
        environment: all of it, but for what shares out cores and GPUs.
        folder: the working folder.
        log: standard output and error go to its end, merged.
        deadline: seconds after which it is ended, or None.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    deadline: float | None = None


@dataclass(frozen=True)
class EndedJob:
    """How a job ended.

    Attributes:
        job: which one.
        code: its exit code, negative for a signal.
        seconds: that it ran.
        pid: of its first process; None where it never had one.
        why: why the executor ended it; empty where it ended by itself or was told to by others.
    """

    job: Job
    code: int
    seconds: float
    pid: int | None = None
    why: str = ""


class RunningJob:
    """A job that runs.

    Attributes:
        job: which one.
        process: it.
        memory: bytes, the most that was seen.
        why: why the executor ended it, or empty.
    """

    def __init__(self, job: Job, process: TrialProcess) -> None:
        self.job = job
        self.process = process
        self.memory = 0
        self.why = ""
        self._quiet_since = time.monotonic()
        self._last_seen = (-1, -1.0)

    @property
    def seconds(self) -> float:
        """Since its start."""
        return time.monotonic() - self.process.started

    def overdue(self, stall_seconds: float) -> str:
        """Why it should not run any longer: its deadline has passed, or it neither prints nor computes; or empty.

        A look at what it uses, to be repeated: what it used since the last one counts.
        """
        if self.job.deadline is not None and self.seconds > self.job.deadline:
            return f"ran longer than its activeDeadlineSeconds ({self.job.deadline:g})"
        log, usage = self.job.log, self.process.usage()
        self.memory = max(self.memory, usage.memory)
        seen = (log.stat().st_size if log.exists() else 0, round(usage.processor_seconds, 1))
        if seen != self._last_seen:
            self._last_seen, self._quiet_since = seen, time.monotonic()
        elif time.monotonic() - self._quiet_since > stall_seconds:
            return f"hung: neither output nor processor time for {stall_seconds:g} s (--stall-timeout)"
        return ""

    def kill(self, why: str) -> None:
        """End it at once."""
        self.why = why
        self.process.kill()
