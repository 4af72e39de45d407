"""medianstop: end a trial whose first values are worse than the median of the others'.

Katib's rule (`pkg/earlystopping/v1beta1/medianstop/service.py` and the collector's `updateStopRules`): once
`min_trials_required` trials have succeeded, a new trial gets a rule. At its report number `start_step`, and only then,
its best value so far is compared with the rule's. What Katib calls the median is the mean of the trials' means; here
it is their median.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.runs.model import Condition, StopRule, Trial

_DEFAULTS = {"min_trials_required": 3, "start_step": 4}
NAME = "medianstop"


class MedianStop:
    """The early stopping of one Experiment."""

    def __init__(self, experiment: Experiment) -> None:
        """
        Raises:
            ExperimentError: a setting that medianstop does not have, or out of range.
        """
        settings = _DEFAULTS | {
            name: _setting(name, text) for name, text in (experiment.early_stopping_settings or {}).items()
        }
        self._required, self._start_step = settings["min_trials_required"], settings["start_step"]
        self._better = experiment.objective.better
        self._best = max if experiment.objective.maximize else min

    @property
    def start_step(self) -> int:
        """How many of a trial's values count."""
        return self._start_step

    def rule(self, trials: Iterable[Trial]) -> StopRule | None:
        """The rule for a trial that starts now; None while too few have succeeded."""
        means = [
            statistics.fmean(trial.first_values)
            for trial in trials
            if trial.condition is Condition.SUCCEEDED and trial.first_values
        ]
        if len(means) < self._required:
            return None
        return StopRule(statistics.median(means), self._start_step)

    def stops(self, rule: StopRule, values: Sequence[float]) -> bool:
        """Whether a trial that has reported `values` so far is to be ended."""
        if len(values) < rule.start_step:
            return False
        return self._better(rule.value, self._best(values[: rule.start_step]))


def _setting(name: str, text: str) -> int:
    if name not in _DEFAULTS:
        raise ExperimentError(f"earlyStopping: medianstop has no setting {name}; it has {', '.join(_DEFAULTS)}")
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise ExperimentError(f'earlyStopping: {name} "{text}" of medianstop must be a whole number above 0')
    return value
