"""Optuna's samplers: random, TPE and multivariate TPE."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.trial import TrialState, create_trial

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.dimensions import dimension
from boxtune.search.search import mixed

MakeSampler = Callable[[int], Any]


class OptunaStrategy:
    """A fresh sampler, seeded by the search's seed and the trial's number, makes each suggestion.

    Nothing random is carried from one to the next, so a journal is enough to go on.
    """

    def __init__(self, space: Sequence[ParameterSpec], maximize: bool, seed: int, make_sampler: MakeSampler) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        for category in (optuna.exceptions.ExperimentalWarning, FutureWarning):
            warnings.filterwarnings("ignore", category=category, module="optuna")
        self._dimensions = {spec.name: dimension(spec) for spec in space}
        self._distributions = {name: each.distribution for name, each in self._dimensions.items()}
        self._seed = seed
        self._make_sampler = make_sampler
        self._study = optuna.create_study(
            direction="maximize" if maximize else "minimize", sampler=optuna.samplers.RandomSampler(seed)
        )
        self._running: dict[int, int] = {}  # our trial's number to the study's

    def draw(self, number: int, attempt: int) -> Assignments:
        self._study.sampler = self._make_sampler(mixed(self._seed, number, *([attempt] if attempt else [])))
        drawn = self._study.ask(self._distributions)
        # What was drawn may lie between two values of a grid. What runs, and what a journal can restore, is the
        # assignments; so the draw is dismissed (samplers pass over failed trials) and they take its place.
        self._study.tell(drawn, state=TrialState.FAIL)
        return {name: each.decode(drawn.params[name]) for name, each in self._dimensions.items()}

    def asked(self, number: int, assignments: Assignments) -> None:
        self._running[number] = len(self._study.get_trials(deepcopy=False))
        self._study.add_trial(self._trial(assignments, state=TrialState.RUNNING))

    def ended(self, number: int, value: float) -> None:
        self._study.tell(self._running.pop(number), value)

    def observed(self, assignments: Assignments, value: float) -> None:
        self._study.add_trial(self._trial(assignments, state=TrialState.COMPLETE, value=value))

    def _trial(self, assignments: Assignments, **more: Any) -> Any:
        params = {name: each.encode(assignments[name]) for name, each in self._dimensions.items()}
        return create_trial(params=params, distributions=self._distributions, **more)
