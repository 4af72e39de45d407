"""The baseline: the base config's own values, as one more trial."""

from __future__ import annotations

from boxtune.experiment.experiment import Experiment
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_config import TrialConfig
from trial_entry.errors import RequestError


def baseline_assignments(experiment: Experiment, trials: TrialConfig) -> Assignments | None:
    """What the base config has for each parameter now, as the parameter's list writes it; a parameter without a current
    value is left out.

    Returns:
        None where there is no baseline: the config cannot be seen or has no such field (the trials say why), or a
        parameter stands elsewhere than in a `--set`.
    """
    sets = trials.command.sets()
    if trials.base is None or any(spec.name not in sets for spec in experiment.parameters):
        return None
    assignments: Assignments = {}
    for spec in experiment.parameters:
        try:
            value = trials.base.current(sets[spec.name])
        except RequestError:
            return None
        if value is not None:
            assignments[spec.name] = spec.canonical(value) or value
    return assignments
