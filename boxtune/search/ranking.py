"""Which of a rung's trials are the better ones, and one score for all trials of a search, whatever rung they reached.

After a ninth of a training most detectors find nothing: an mAP of 0.0004 beside one of 0.0011 is more chance than
knowledge, where the losses may differ already. But a loss is not the objective (where a loss's weight is searched, it
mostly says that weight), and whose mAP is 0.02 there is ahead whatever its loss is. So a trial whose objective clears
the noise is ranked by it, before all that do not; those are ranked by the mean of their places by objective and by
loss, which is by loss alone where all have found nothing. How high the noise is, is known for the detector's own
metrics that are shares (mAP, recall and so on, where more is better): `FLOOR`. An objective that is minimised, or is no
share, has no floor and always ranks; so does every objective at the top rung: there it is what is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

from boxtune.experiment.experiment import Objective
from boxtune.runs.trial import value_in
from boxtune.search.rungs import Climb, Observation
from trial_entry.contract.metrics import TOTAL_LOSS, is_share

FLOOR = 0.01  # of a metric from 0 to 1: below it a detector has found next to nothing


class Score(NamedTuple):
    """How good a trial is among all of a search.

    Attributes:
        value: about normally distributed over the trials; more is better.
        rung: the highest rung that it has completed: how much is to be made of it.
    """

    value: float
    rung: int


class Ranking:
    """The order of trials at each rung."""

    def __init__(self, objective: Objective, climbs: Sequence[Climb]) -> None:
        self._objective = objective
        self._climbs = climbs

    def at(self, rung: int) -> list[Climb]:
        """Those that completed `rung`, the best first; the failed ones last, and equal ones in the order of their
        creation.
        """
        measured = [each for each in self._climbs if each.results.get(rung) is not None]
        failed = [each for each in self._climbs if rung in each.results and each.results[rung] is None]
        keys = self._keys(rung, measured)
        return sorted(measured, key=lambda each: keys[each.trial.name], reverse=True) + failed

    def _keys(self, rung: int, measured: Sequence[Climb]) -> Mapping[str, float]:
        """A number for each trial that was measured at `rung`; more is better."""
        seen = [(each.trial.name, each.results[rung] or {}) for each in measured]
        values = {name: self._value(observation) for name, observation in seen}
        losses = {name: loss for name, observation in seen if (loss := _loss(observation)) is not None}
        is_top = all(rung == len(each.steps) - 1 for each in measured)
        if is_top or len(losses) < len(values) or not self._has_floor:
            return values
        by_value = _places({name: max(value, 0.0) for name, value in values.items()})
        by_loss = _places({name: -loss for name, loss in losses.items()})
        # A share is above every negative number, and places are made negative.
        return {
            name: value if value >= FLOOR else by_value[name] + by_loss[name] - 2.0 * len(values)
            for name, value in values.items()
        }

    @property
    def _has_floor(self) -> bool:
        return self._objective.maximize and is_share(self._objective.metric)

    def _value(self, observation: Observation) -> float:
        """The objective, made so that more is better."""
        value = value_in(observation, self._objective)
        if value is None:
            return -math.inf
        return value if self._objective.maximize else -value

    def scores(self, rungs: int) -> dict[str, Score]:
        """A score for each trial by name.

        At the lowest rung it is the normal score of the trial's rank. At each higher rung the trials that came there
        share out anew among themselves the scores that they had, in the order of that rung: only orders are compared,
        never values of different rungs. A trial that skipped the lower rungs (a baseline, trained whole) has its place
        between its neighbours, and no score while it is the only one at its rung. Where nobody came to a rung from
        below, it is ranked as the lowest is.
        """
        values: dict[str, float] = {}
        reached: dict[str, int] = {}
        for rung in range(rungs):
            order = [each.trial.name for each in self.at(rung)]
            if rung == 0 or (len(order) > 1 and not any(name in values for name in order)):
                values.update(_normal_scores(order))
            else:
                values.update(_shared_out_anew(order, values))
            reached.update({name: rung for name in order if name in values})
        return {name: Score(value, reached[name]) for name, value in values.items()}


def _places(values: Mapping[str, float]) -> dict[str, float]:
    """Places from 1, the lowest's; equal ones have their mean."""
    ranked = sorted(values.values())
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for place, value in enumerate(ranked, start=1):
        first.setdefault(value, place)
        last[value] = place
    return {name: (first[value] + last[value]) / 2 for name, value in values.items()}


def _normal_scores(order: Sequence[str]) -> dict[str, float]:
    normal, count = NormalDist(), len(order)
    return {name: normal.inv_cdf((count - place - 0.5) / count) for place, name in enumerate(order)}


def _shared_out_anew(order: Sequence[str], values: Mapping[str, float]) -> dict[str, float]:
    """The scores that those of `order` have, the best to the first; those without one come between their neighbours."""
    ranked = [name for name in order if name in values]
    anew = dict(zip(ranked, sorted((values[name] for name in ranked), reverse=True), strict=True))
    for place, name in enumerate(order):
        if name in anew or not ranked:
            continue
        above = [anew[other] for other in order[:place] if other in anew][-1:]
        below = [anew[other] for other in order[place + 1 :] if other in anew][:1]
        anew[name] = sum(above + below) / len(above + below)
    return anew


def _loss(observation: Observation) -> float | None:
    """The validation loss at a rung's end, whatever its metricStrategy is."""
    found = observation.get(TOTAL_LOSS)
    return found.value("latest") if found is not None else None
