"""The baseline: the base config's own values, as one more trial."""

from __future__ import annotations

from collections.abc import Callable

from boxtune.experiment.experiment import Experiment
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_command import TrialCommand
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.aliases import current_value
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig


def baseline_assignments(
    experiment: Experiment, command: TrialCommand, read: Callable[[], TrainEvalPipelineConfig | None]
) -> Assignments | None:
    """What the base config has for each parameter now; a parameter without a current value is left out.

    Args:
        read: the base config; None where it cannot be seen. A RequestError that it raises is no error here: the
            trials say why.

    Returns:
        None where there is no baseline: the trials are not trial_entry's, the config cannot be read, or a parameter
        stands elsewhere than in a `--set`.
    """
    if not command.is_own:
        return None
    sets = command.sets()
    if any(spec.name not in sets for spec in experiment.parameters):
        return None
    assignments: Assignments = {}
    try:
        config = read()
        if config is None:
            return None
        for spec in experiment.parameters:
            value = current_value(config, sets[spec.name])
            if value is not None:
                assignments[spec.name] = spec.canonical(value) or value
    except RequestError:
        return None
    return assignments
