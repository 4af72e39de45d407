"""How one algorithm draws; `SamplingPolicy` keeps the books around it."""

from __future__ import annotations

import hashlib
from typing import Protocol

from boxtune.experiment.space import Assignments

ATTEMPTS = 16  # to draw a point that was not suggested yet, before one that is left is taken


class Sampler(Protocol):
    """Draws assignments, and learns from what they gave.

    A draw depends on nothing but the problem's seed, the trial's number, the attempt, and what was told before.
    """

    def draw(self, number: int, attempt: int) -> Assignments:
        """A suggestion for trial `number`; a higher `attempt` gives another, where there is another."""

    def asked(self, number: int, assignments: Assignments) -> None:
        """Trial `number` runs with `assignments`."""

    def ended(self, number: int, value: float) -> None:
        """Trial `number` gave this value."""

    def observed(self, assignments: Assignments, value: float) -> None:
        """A trial that was not suggested (the baseline) gave this value."""


class Unlearning:
    """The part of a sampler that learns nothing."""

    def asked(self, number: int, assignments: Assignments) -> None:
        """It makes no difference."""

    def ended(self, number: int, value: float) -> None:
        """It makes no difference."""

    def observed(self, assignments: Assignments, value: float) -> None:
        """It makes no difference."""


def mixed(seed: int, *numbers: int) -> int:
    """A seed of 32 bits for one draw: neighbours must not resemble each other."""
    text = "/".join(map(str, (seed, *numbers)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
