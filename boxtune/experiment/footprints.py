"""What the training of assignments takes of memory beside others, from the config that they make."""

from __future__ import annotations

from collections.abc import Callable

from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_config import TrialConfig
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.footprint import Footprint


def footprints_of(trials: TrialConfig | None) -> Callable[[Assignments], Footprint | None]:
    """A function from assignments to what their training takes; each is rendered once.

    Args:
        trials: what assignments make; None where that cannot be told, and then nothing can.

    Returns:
        What gives None for assignments that make no config, which the trial will say.
    """
    known: dict[tuple[tuple[str, str], ...], Footprint | None] = {}

    def footprint(assignments: Assignments) -> Footprint | None:
        key = tuple(sorted(assignments.items()))
        if key not in known:
            known[key] = _footprint(trials, assignments)
        return known[key]

    return footprint


def _footprint(trials: TrialConfig | None, assignments: Assignments) -> Footprint | None:
    if trials is None or trials.base is None:
        return None
    try:
        return trials.footprint(assignments)
    except RequestError:
        return None
