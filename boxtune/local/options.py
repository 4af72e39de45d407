"""What a local run is asked for, and whom it tells what happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from boxtune.local.keeping import Keep
from boxtune.runs.run import Run


@dataclass(frozen=True)
class RunOptions:
    """How `boxtune run` was asked to run.

    Attributes:
        volumes: folder by the name of a volume or claim.
        keep: which trials keep their checkpoints.
        budget: seconds of wall time after which no trial is started, or None.
        num_steps: shorten every trial to this many steps, or None.
        baseline: whether the base config's own values are tried.
        stall_seconds: a trial without output or processor time for this long is ended.
        cold: start every trial as a program of its own, imports and all.
        parallel: trials at a time, "auto", or None for the Experiment's parallelTrialCount.
        reuse: whether a trial whose config was tried before takes over that one's result.
    """

    volumes: Mapping[str, Path] = field(default_factory=dict)
    keep: Keep = Keep(3)  # noqa: RUF009 (frozen)
    budget: float | None = None
    num_steps: int | None = None
    baseline: bool = True
    stall_seconds: float = 600.0
    cold: bool = False
    parallel: int | Literal["auto"] | None = None
    reuse: bool = False


class Listener(Protocol):
    """Is told what happens; shows it to people."""

    def notice(self, text: str) -> None:
        """Something that people should know, one line."""

    def changed(self, run: Run) -> None:
        """A trial was started or has ended."""

    def tick(self, run: Run, running: Mapping[str, Path]) -> None:
        """Nothing has changed, but time went by; `running` has the log of each running trial."""
