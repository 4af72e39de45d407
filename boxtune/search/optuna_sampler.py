"""Optuna's samplers as ours: random, TPE and multivariate TPE."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import optuna
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from boxtune.experiment.space import Assignments
from boxtune.search.dimensions import dimension
from boxtune.search.policy import SearchProblem
from boxtune.search.sampler import mixed

MakeSampler = Callable[[int], BaseSampler]


class OptunaSampler:
    """A fresh sampler of Optuna's, seeded by the problem's seed and the trial's number, makes each suggestion.

    Nothing random is carried from one to the next.
    """

    def __init__(self, problem: SearchProblem, make: MakeSampler) -> None:
        """
        Args:
            make: Optuna's sampler with this seed.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        for category in (optuna.exceptions.ExperimentalWarning, FutureWarning):
            warnings.filterwarnings("ignore", category=category, module="optuna")
        self._dimensions = {spec.name: dimension(spec) for spec in problem.space}
        self._distributions = {name: each.distribution for name, each in self._dimensions.items()}
        self._seed = problem.seed
        self._make = make
        self._study = optuna.create_study(
            direction="maximize" if problem.objective.maximize else "minimize",
            sampler=optuna.samplers.RandomSampler(problem.seed),
        )
        self._running: dict[int, int] = {}  # our trial's number to the study's

    def draw(self, number: int, attempt: int) -> Assignments:
        self._study.sampler = self._make(mixed(self._seed, number, *([attempt] if attempt else [])))
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

    def _trial(self, assignments: Assignments, state: TrialState, value: float | None = None) -> FrozenTrial:
        params = {name: each.encode(assignments[name]) for name, each in self._dimensions.items()}
        return create_trial(params=params, distributions=self._distributions, state=state, value=value)
