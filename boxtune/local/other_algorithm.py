"""The Experiment with another search algorithm than its file says: what `boxtune run --algorithm` asks for."""

from __future__ import annotations

from boxtune.errors import InputError
from boxtune.experiment.editing import edited
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import Json
from boxtune.experiment.trial_command import TrialCommand
from boxtune.search.catalogue import ALGORITHMS
from trial_entry.contract.metrics import TOTAL_LOSS

_ASHA = "asha"


def with_algorithm(experiment: Experiment, name: str | None) -> Experiment:
    """With the algorithm of this name and its default settings; as it is where that is None, or its own.

    For asha the trials' validation loss is read too: it ranks a rung at which nothing is found yet.

    Raises:
        InputError: there is no such algorithm.
    """
    if name is None or name == experiment.algorithm:
        return experiment
    if name not in ALGORITHMS:
        raise InputError(f"--algorithm {name}: there are {', '.join(ALGORITHMS)}")
    own = TrialCommand(experiment.template).is_own

    def change(raw: dict[str, Json]) -> None:
        spec = raw["spec"]
        spec["algorithm"] = {"algorithmName": name}
        objective = spec["objective"]
        if name == _ASHA and own and TOTAL_LOSS not in experiment.objective.metrics:
            objective["additionalMetricNames"] = [*experiment.objective.additional, TOTAL_LOSS]
            strategies = objective.get("metricStrategies") or []
            objective["metricStrategies"] = [*strategies, {"name": TOTAL_LOSS, "value": "latest"}]

    return edited(experiment, change)
