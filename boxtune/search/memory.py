"""Memory: what a search's trials have shown of what fits, so that nothing is tried that will not."""

from __future__ import annotations

from collections.abc import Sequence

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.runs.borders import borders, is_beyond
from boxtune.runs.trial import Trial
from boxtune.search.fresh_points import FreshPoints
from boxtune.search.policy import Footprints

_LOOKED_AT = 1000  # points of a space, to say how many are left out


class Memory:
    """Knowledge from trials alone: those that ran out of memory, unless that is forgotten, and those that did not."""

    def __init__(self, trials: Sequence[Trial], footprint: Footprints) -> None:
        """
        Args:
            footprint: tells what the training of assignments takes, or None.
        """
        short = [trial for trial in trials if trial.out_of_memory and not trial.forgotten]
        fitted = [trial for trial in trials if trial.has_fitted]
        self._trials = trials
        self._short = [trial.assignments for trial in short]
        self._footprint = footprint
        taken = [footprint(assignments) for assignments in self._short]
        room = [footprint(trial.assignments) for trial in fitted] if short else []
        self._borders = borders(filter(None, taken), filter(None, room))

    def fits(self, assignments: Assignments) -> bool:
        """Whether nothing tells that `assignments` will run out of memory: neither they did nor any of the same model
        with at most as many pixels in a batch.
        """
        if not self._short:
            return True
        return assignments not in self._short and not is_beyond(self._borders, self._footprint(assignments))

    def left_out(self, space: Sequence[ParameterSpec], seed: int) -> str:
        """What of a space no trial is made of for want of memory, once a search has ended; empty where nothing."""
        if not self._short:
            return ""
        points = FreshPoints(space, seed)
        for trial in self._trials:
            if not trial.forgotten:
                points.take(trial.assignments)
        looked = list(points.some(_LOOKED_AT))
        out = [each for each in looked if not self.fits(each)]
        if points.left is not None and len(looked) == points.left and len(out) < len(looked):
            return f"{len(out)} of its points would not fit in memory" if out else ""
        return "nothing that is left of its space fits in memory" if looked and len(out) == len(looked) else ""
