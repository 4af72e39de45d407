"""Bayesian optimization with scikit-optimize: a Gaussian process (or a forest) models the objective.

Numbers are searched by their coordinate, so that distributions mean what they say; Katib's service makes every double
logarithmic and ignores steps. A discrete list is searched in the order of its numbers, not as unordered choices.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.algorithm import Algorithm, Teaches
from boxtune.search.coordinates import coordinate
from boxtune.search.policy import SearchProblem
from boxtune.search.sampler import mixed
from boxtune.search.sampling import sampling
from boxtune.search.settings import NOT_NEGATIVE_WHOLE, RANDOM_STATE, SEED, one_of

if TYPE_CHECKING:
    from skopt import Optimizer
    from skopt.space import Dimension

_INITIAL_POINTS = "n_initial_points"
_DRAWN_AT_RANDOM = 10  # scikit-optimize's own


class GaussianProcessSampler:
    """A fresh optimizer, told everything that is known, makes each suggestion; running trials count as the best so
    far ("constant liar"), so that parallel ones differ.
    """

    def __init__(self, problem: SearchProblem) -> None:
        self._space = problem.space
        self._coordinates = {spec.name: coordinate(spec) for spec in problem.space}
        self._sign = -1.0 if problem.objective.maximize else 1.0
        self._seed = problem.seed
        own = (_INITIAL_POINTS, SEED)
        self._settings = {name: value for name, value in problem.settings.items() if name not in own}
        self._first = int(problem.settings.get(_INITIAL_POINTS, _DRAWN_AT_RANDOM))  # before there is a model
        self._running: dict[int, Assignments] = {}
        self._known: list[tuple[Assignments, float]] = []

    def draw(self, number: int, attempt: int) -> Assignments:
        import skopt
        from threadpoolctl import threadpool_limits

        known = self._known and len(self._known) >= self._first
        optimizer = skopt.Optimizer(
            [self._dimension(spec) for spec in self._space],
            random_state=mixed(self._seed, number, attempt),
            n_initial_points=0 if known else 1,
            **self._settings,
        )
        with warnings.catch_warnings(), threadpool_limits(1):  # the cores are the trials'
            warnings.simplefilter("ignore")  # a point that was known already; a kernel's bound that is close
            if known:
                self._tell_all(optimizer)
            point = optimizer.ask()
        return {spec.name: self._decode(spec, value) for spec, value in zip(self._space, point, strict=True)}

    def _tell_all(self, optimizer: Optimizer) -> None:
        points = [self._encode(assignments) for assignments, _ in self._known]
        values = [self._sign * value for _, value in self._known]
        lies = [self._encode(assignments) for assignments in self._running.values()]
        optimizer.tell(points + lies, values + [min(values)] * len(lies))

    def asked(self, number: int, assignments: Assignments) -> None:
        self._running[number] = assignments

    def ended(self, number: int, value: float) -> None:
        self._known.append((self._running.pop(number), value))

    def observed(self, assignments: Assignments, value: float) -> None:
        self._known.append((assignments, value))

    def _dimension(self, spec: ParameterSpec) -> Dimension:
        from skopt.space import Categorical, Real

        if spec.parameter_type == "categorical":
            return Categorical(spec.values, name=spec.name)
        return Real(0.0, 1.0, name=spec.name)

    def _encode(self, assignments: Assignments) -> list[str | float]:
        return [
            spec.value_at(spec.index_of(assignments[spec.name]))
            if spec.parameter_type == "categorical"
            else self._coordinates[spec.name].encode(assignments[spec.name])
            for spec in self._space
        ]

    def _decode(self, spec: ParameterSpec, value: str | float) -> str:
        return str(value) if spec.parameter_type == "categorical" else self._coordinates[spec.name].decode(float(value))


ALGORITHM = Algorithm(
    {
        "base_estimator": one_of("GP", "RF", "ET", "GBRT"),
        _INITIAL_POINTS: NOT_NEGATIVE_WHOLE,
        # EIps and PIps want each trial's seconds beside its value, which no Suggestion service is told.
        "acq_func": one_of("gp_hedge", "LCB", "EI", "PI"),
        "acq_optimizer": one_of("auto", "sampling", "lbfgs"),
        SEED: RANDOM_STATE,
    },
    sampling(GaussianProcessSampler),
    teaches=Teaches.WHOLE,
)
