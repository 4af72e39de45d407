"""The baseline: the base config's own values, as one more trial."""

from __future__ import annotations

from pathlib import Path

from boxtune.experiment.model import Experiment
from boxtune.experiment.space import Assignments
from boxtune.local.template import Template
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.aliases import current_value
from trial_entry.pipeline_config.text import read_config


def baseline_assignments(experiment: Experiment, template: Template, folder: Path) -> Assignments | None:
    """What the base config has for each parameter now; a parameter without a current value is left out.

    Returns:
        None where there is no baseline: the trials are not trial_entry's, the config cannot be read here (then the
        trials say why), or a parameter stands elsewhere than in a `--set`.
    """
    if not template.is_own:
        return None
    sets = template.sets()
    if any(spec.name not in sets for spec in experiment.parameters):
        return None
    path = template.base_config(folder)
    if path is None:
        return None
    assignments: Assignments = {}
    try:
        config = read_config(path)
        for spec in experiment.parameters:
            value = current_value(config, sets[spec.name])
            if value is not None:
                assignments[spec.name] = spec.canonical(value) or value
    except RequestError:
        return None
    return assignments
