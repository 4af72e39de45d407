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
        most_steps: that all trials together may train, instead of the Experiment's; None for those.
        num_steps: shorten every trial to this many steps, or None.
        baseline: whether the base config's own values are tried.
        stall_seconds: a trial without output or processor time for this long is ended.
        cold: start every trial as a program of its own, imports and all.
        parallel: trials at a time, "auto", or None for the Experiment's parallelTrialCount.
        reuse: whether a trial whose config was tried before takes over that one's result.
        gone_on_with: names of trials, stopped early or paused, that are trained to their end.
        warm_start: folders of earlier runs that the search is told of; none for what it was told when it was begun.
        forget_memory: whether what ran out of memory so far tells nothing any more.
    """

    volumes: Mapping[str, Path] = field(default_factory=dict)
    keep: Keep = Keep(3)  # noqa: RUF009 (frozen)
    budget: float | None = None
    most_steps: int | None = None
    num_steps: int | None = None
    baseline: bool = True
    stall_seconds: float = 600.0
    cold: bool = False
    parallel: int | Literal["auto"] | None = None
    reuse: bool = False
    gone_on_with: tuple[str, ...] = ()
    warm_start: tuple[Path, ...] = ()
    forget_memory: bool = False


class Listener(Protocol):
    """Is told what happens; shows it to people."""

    def notice(self, text: str) -> None:
        """Something that people should know, one line."""

    def changed(self, run: Run) -> None:
        """A trial was started or has ended."""

    def tick(self, run: Run, running: Mapping[str, Path]) -> None:
        """Nothing has changed, but time went by; `running` has the log of each running trial."""
