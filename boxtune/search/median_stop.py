"""medianstop: end a trial whose first values are worse than the median of the others'.

Katib's rule (`pkg/earlystopping/v1beta1/medianstop/service.py` and the collector's `updateStopRules`): once
`min_trials_required` trials have succeeded, a new trial gets a rule. At its report number `start_step`, and only then,
its best value so far is compared with the rule's. What Katib calls the median is the mean of the trials' means; here
it is their median.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from boxtune.experiment.experiment import Experiment
from boxtune.runs.trial import Condition, StopRule, Trial
from boxtune.search.settings import POSITIVE_WHOLE, read_settings

NAME = "medianstop"
_REQUIRED, _START_STEP = "min_trials_required", "start_step"
_DEFAULTS = {_REQUIRED: 3, _START_STEP: 4}


class MedianStop:
    """The early-stopping policy of one Experiment: a pure function of its trials."""

    def __init__(self, experiment: Experiment) -> None:
        """
        Raises:
            ExperimentError: a setting that medianstop does not have, or out of range.
        """
        path, known = "spec.earlyStopping.algorithmSettings", dict.fromkeys(_DEFAULTS, POSITIVE_WHOLE)
        settings = _DEFAULTS | read_settings(NAME, experiment.early_stopping_settings, known, path)
        self._required, self._start_step = int(settings[_REQUIRED]), int(settings[_START_STEP])
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
