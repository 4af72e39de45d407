"""Which trials of a run make the same config, though their assignments differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from boxtune.experiment.space import Assignments
from boxtune.runs.trial import Trial


class SameConfigs:
    """The first trial of each config."""

    def __init__(self, digest: Callable[[Assignments], str | None], trials: Iterable[Trial]) -> None:
        """
        Args:
            digest: tells the config that assignments make from others; None where it cannot be told.
            trials: those so far, in the order of their creation.
        """
        self._digest = digest
        self._first: dict[str, str] = {}
        for trial in trials:
            self.add(trial.name, trial.assignments)

    def add(self, name: str, assignments: Assignments) -> str:
        """Take a trial; returns the name of the first one with the same config, empty where it is the first itself."""
        digest = self._digest(assignments)
        if digest is None:
            return ""
        first = self._first.setdefault(digest, name)
        return first if first != name else ""
