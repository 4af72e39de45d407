"""What this machine has for its trials, shared out among those that run at a time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS")
_LEAST_MEMORY = 1536 * 2**20  # bytes: a small detector's trial
# Of cgroups, version 2 and 1.
_CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def gpus() -> list[str]:
    """The GPUs that trials may use, as CUDA_VISIBLE_DEVICES names them: all, or those that it names already."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name.strip()]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [str(number) for number in range(sum(line.startswith("GPU ") for line in listed.stdout.splitlines()))]


def free_memory() -> int:
    """Bytes that this machine, or the container that this process runs in, has left for trials."""
    import psutil

    free = [int(psutil.virtual_memory().available)]
    for limit in _CONTAINER_LIMITS:
        try:
            free.append(int(Path(limit).read_text()))
        except (OSError, ValueError):  # no such file; "max"
            continue
    return min(free)


def _most_at_a_time(gpus_each: int, available: int) -> int:
    return max(1, available // gpus_each) if gpus_each and available else cores()


class Shares:
    """Hands processor threads, memory and GPUs to trials, and takes them back."""

    def __init__(self, parallel: int | Literal["auto"], gpus_each: int, available: Sequence[str]) -> None:
        """
        Args:
            parallel: trials at a time; "auto" for one on each GPU (or GPUs) that a trial asks for, or else on each
                core, as long as memory lasts.
            gpus_each: the container's GPU limit.
            available: names of this machine's GPUs.
        """
        self._memory = free_memory() if parallel == "auto" else None
        wanted = _most_at_a_time(gpus_each, len(available)) if parallel == "auto" else parallel
        self._gpus_each = gpus_each
        self._free = list(available)
        self._held: dict[str, list[str]] = {}
        self.warnings: list[str] = []
        self.parallel = wanted
        if gpus_each and not available:
            self.warnings.append(
                f"trials ask for {gpus_each} GPU, but this machine shows none: they run on the processor"
            )
            self._gpus_each = 0
        elif gpus_each > len(available):
            self.warnings.append(
                f"trials ask for {gpus_each} GPUs, but this machine has {len(available)}: they get those"
            )
            self._gpus_each = len(available)
        if self._gpus_each and wanted > len(available) // self._gpus_each:
            self.parallel = len(available) // self._gpus_each
            self.warnings.append(
                f"{self.parallel} instead of {wanted} trials at a time: there are {len(available)} GPUs"
            )
        self._threads = max(1, cores() // self.parallel)

    def room(self, running: int, largest: int) -> bool:
        """Whether one more trial can be started.

        Args:
            running: trials that run.
            largest: bytes that a trial has used so far at most; 0 where none has run.
        """
        if running >= self.parallel:
            return False
        return not running or self._memory is None or (running + 1) * max(largest, _LEAST_MEMORY) <= self._memory

    def take(self, trial: str) -> dict[str, str]:
        """The variables of the environment that give `trial` its share; variables that the user set stay."""
        shares = {name: str(self._threads) for name in _THREAD_VARIABLES if name not in os.environ}
        if self._gpus_each:
            self._held[trial] = [self._free.pop(0) for _ in range(self._gpus_each)]
            shares["CUDA_VISIBLE_DEVICES"] = ",".join(self._held[trial])
        return shares

    def give_back(self, trial: str) -> None:
        """`trial` has ended."""
        self._free.extend(self._held.pop(trial, []))
