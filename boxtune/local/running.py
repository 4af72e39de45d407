"""A trial that runs: its process, and whether it should still run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from boxtune.local.processes import TrialProcess
from boxtune.local.template import Command
from boxtune.runs.model import StopRule


@dataclass
class RunningTrial:
    """One running trial.

    Attributes:
        process, command: what runs.
        stop_rule: of early stopping, or None.
        ended_because: why the runner ended it; empty while it did not.
        early_stopped: whether that was its stop_rule.
        memory: bytes, the most that was seen.
    """

    process: TrialProcess
    command: Command
    stop_rule: StopRule | None = None
    ended_because: str = ""
    early_stopped: bool = False
    memory: int = 0
    _quiet_since: float = field(default_factory=time.monotonic)
    _last_seen: tuple[int, float] = (-1, -1.0)

    @property
    def seconds(self) -> float:
        """Since its start."""
        return time.monotonic() - self.process.started

    def look(self, stall_seconds: float) -> None:
        """See what it uses; kill it where the Job's deadline has passed, or it neither printed nor computed so long."""
        deadline = self.command.deadline
        if deadline is not None and self.seconds > deadline:
            self._end(f"ran longer than the Job's activeDeadlineSeconds ({deadline:g})")
            return
        log, usage = self.command.log, self.process.usage()
        self.memory = max(self.memory, usage.memory)
        seen = (log.stat().st_size if log.exists() else 0, round(usage.processor_seconds, 1))
        if seen != self._last_seen:
            self._last_seen, self._quiet_since = seen, time.monotonic()
        elif time.monotonic() - self._quiet_since > stall_seconds:
            self._end(f"hung: neither output nor processor time for {stall_seconds:g} s (--stall-timeout)")

    def stop_early(self) -> None:
        """Ask it to save and end: it does worse than the others did."""
        self.early_stopped, self.stop_rule = True, None
        self.process.terminate()

    def _end(self, why: str) -> None:
        self.ended_because = why
        self.process.kill()
