"""Bayesian optimization with scikit-optimize: a Gaussian process (or a forest) models the objective.

Numbers are searched by their coordinate, so that distributions mean what they say; Katib's service makes every double
logarithmic and ignores steps. A discrete list is searched in the order of its numbers, not as unordered choices.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.coordinates import coordinate
from boxtune.search.search import mixed


class GaussianProcessStrategy:
    """A fresh optimizer, told everything that is known, makes each suggestion; running trials count as the best so
    far ("constant liar"), so that parallel ones differ.
    """

    def __init__(self, space: Sequence[ParameterSpec], maximize: bool, seed: int, settings: Mapping[str, Any]) -> None:
        """`settings` are scikit-optimize's: base_estimator, n_initial_points, acq_func, acq_optimizer."""
        self._space = space
        self._coordinates = {spec.name: coordinate(spec) for spec in space}
        self._sign = -1.0 if maximize else 1.0
        self._seed = seed
        self._settings = dict(settings)
        self._first = int(self._settings.pop("n_initial_points", 10))  # drawn at random, before there is a model
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

    def _tell_all(self, optimizer: Any) -> None:
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

    def _dimension(self, spec: ParameterSpec) -> Any:
        from skopt.space import Categorical, Real

        if spec.parameter_type == "categorical":
            return Categorical(spec.values, name=spec.name)
        return Real(0.0, 1.0, name=spec.name)

    def _encode(self, assignments: Assignments) -> list[Any]:
        return [
            spec.value_at(spec.index_of(assignments[spec.name]))
            if spec.parameter_type == "categorical"
            else self._coordinates[spec.name].encode(assignments[spec.name])
            for spec in self._space
        ]

    def _decode(self, spec: ParameterSpec, value: Any) -> str:
        return str(value) if spec.parameter_type == "categorical" else self._coordinates[spec.name].decode(float(value))
