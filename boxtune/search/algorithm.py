"""What every search algorithm offers."""

from __future__ import annotations

from typing import Protocol

from boxtune.experiment.space import Assignments


class Algorithm(Protocol):
    """Suggests assignments, and learns from what they gave.

    A suggestion depends only on the seed, its number and what has been told before; so an algorithm that is told a
    journal's events again (`restore` for every trial that was asked for, `tell` for every one that ended, in their
    order) suggests what the first one would have.
    """

    def ask(self, number: int) -> Assignments | None:
        """The assignments of trial `number` (from 0), which counts as running from now on; None once every point of
        a finite space has been suggested.
        """

    def restore(self, number: int, assignments: Assignments) -> None:
        """Trial `number` was asked for before, and got `assignments`."""

    def tell(self, number: int, value: float | None) -> None:
        """Trial `number` ended with this objective value; None where it failed or was infeasible.

        A failed trial counts as the worst value so far, so that its neighbourhood is left, not forgotten.
        """

    def observe(self, assignments: Assignments, value: float) -> None:
        """A trial that was not asked for (the baseline) gave this value."""


class Strategy(Protocol):
    """How one algorithm draws; `Search` keeps the books around it."""

    def draw(self, number: int, attempt: int) -> Assignments:
        """A suggestion for trial `number`; a higher `attempt` gives another, where there is another."""

    def asked(self, number: int, assignments: Assignments) -> None:
        """Trial `number` runs with `assignments`."""

    def ended(self, number: int, value: float) -> None:
        """Trial `number` gave this value."""

    def observed(self, assignments: Assignments, value: float) -> None:
        """A trial without a number gave this value."""
