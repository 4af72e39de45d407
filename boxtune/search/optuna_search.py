"""Optuna's samplers as Katib's algorithms."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.trial import TrialState, create_trial

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.dimensions import dimension

MakeSampler = Callable[[int], Any]


class OptunaSearch:
    """An `Algorithm` on any of Optuna's samplers.

    A fresh sampler, seeded by the search's seed and the trial's number, makes each suggestion; nothing random is
    carried from one to the next, so a journal is enough to go on.
    """

    def __init__(self, space: Sequence[ParameterSpec], maximize: bool, seed: int, make_sampler: MakeSampler) -> None:
        """`make_sampler(seed)` makes a sampler; `space` must not be empty."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        for category in (optuna.exceptions.ExperimentalWarning, FutureWarning):
            warnings.filterwarnings("ignore", category=category, module="optuna")
        self._dimensions = {spec.name: dimension(spec) for spec in space}
        self._distributions = {name: each.distribution for name, each in self._dimensions.items()}
        self._maximize = maximize
        self._seed = seed
        self._make_sampler = make_sampler
        self._study = optuna.create_study(
            direction="maximize" if maximize else "minimize", sampler=optuna.samplers.RandomSampler(seed)
        )
        self._running: dict[int, int] = {}  # our trial's number to the study's
        self._failed: list[int] = []  # failed before there was any value to count them as
        self._worst: float | None = None

    def ask(self, number: int) -> Assignments:
        self._study.sampler = self._make_sampler(_mixed(self._seed, number))
        drawn = self._study.ask(self._distributions)
        assignments = {name: each.decode(drawn.params[name]) for name, each in self._dimensions.items()}
        # What was drawn may lie between two values of a grid. What runs, and what a journal can restore, is the
        # assignments; so the draw is dismissed (samplers pass over failed trials) and they take its place.
        self._study.tell(drawn, state=TrialState.FAIL)
        self.restore(number, assignments)
        return assignments

    def restore(self, number: int, assignments: Assignments) -> None:
        self._running[number] = len(self._study.get_trials(deepcopy=False))
        self._study.add_trial(self._trial(assignments, state=TrialState.RUNNING))

    def tell(self, number: int, value: float | None) -> None:
        if value is None and self._worst is None:
            self._failed.append(number)
            return
        if value is not None:
            self._take_worst(value)
        self._finish(number, self._worst if value is None else value)
        for failed in self._failed:
            self._finish(failed, self._worst)
        self._failed = []

    def observe(self, assignments: Assignments, value: float) -> None:
        self._take_worst(value)
        self._study.add_trial(self._trial(assignments, state=TrialState.COMPLETE, value=value))

    def _trial(self, assignments: Assignments, **more: Any) -> Any:
        params = {name: each.encode(assignments[name]) for name, each in self._dimensions.items()}
        return create_trial(params=params, distributions=self._distributions, **more)

    def _finish(self, number: int, value: float | None) -> None:
        self._study.tell(self._running.pop(number), value)

    def _take_worst(self, value: float) -> None:
        if self._worst is None:
            self._worst = value
        self._worst = min(self._worst, value) if self._maximize else max(self._worst, value)


def _mixed(seed: int, number: int) -> int:
    """A seed of 32 bits for one suggestion: neighbours must not resemble each other."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4], "big")
