"""Dashboard's parameters: each with the values that it had, on a scale that Optuna can draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from optuna.distributions import BaseDistribution

from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.runs.run import Run
from boxtune.runs.trial import measurement
from boxtune.search.dimensions import Choice, Dimension, dimension


@dataclass(frozen=True)
class Shown:
    """A parameter as the page shows it.

    Attributes:
        spec: of the search space.
        dimension: Optuna's, with its own values rather than what a search draws from.
    """

    spec: ParameterSpec
    dimension: Dimension

    @property
    def name(self) -> str:
        """Katib's name for it."""
        return self.spec.name

    @property
    def distribution(self) -> BaseDistribution:
        """Optuna's; every value that is shown lies in it."""
        return self.dimension.distribution

    def value(self, assignments: Assignments) -> Choice | None:
        """What `assignments` give it; None where that is nothing that the parameter can be."""
        text = assignments.get(self.name)
        if text is None or not self.spec.allows(text):
            return None
        return self.dimension.encode(text)


def shown_parameters(run: Run) -> Sequence[Shown]:
    """The parameters of a run's search space, in their order."""
    return [Shown(spec, dimension(_plain(spec, list(_numbers(run, spec))))) for spec in run.experiment.parameters]


def _numbers(run: Run, spec: ParameterSpec) -> Iterator[float]:
    for trial in (*run.everything, *run.repeats):
        number = measurement(trial.assignments.get(spec.name, ""))
        if number is not None:
            yield number


def _plain(spec: ParameterSpec, numbers: Sequence[float]) -> ParameterSpec:
    """The parameter on a plain or logarithmic scale, as wide as its values: Katib's own services may leave a range."""
    if spec.values:
        return spec
    low, high = min(spec.low, *numbers, spec.low), max(spec.high, *numbers, spec.high)
    is_log = spec.distribution.startswith("log") and low > 0
    is_inside = (low, high) == (spec.low, spec.high)
    on_grid = not is_log and is_inside and all(float(spec.text(each)) == each for each in numbers)
    return replace(
        spec,
        low=low,
        high=high,
        step=spec.step if on_grid else None,
        distribution="logUniform" if is_log else "uniform",
    )
