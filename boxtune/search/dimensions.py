"""Between Katib's parameters, as text, and Optuna's distributions.

Optuna has no normal distribution and no step on a logarithmic scale: such a parameter is searched by its coordinate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from boxtune.experiment.space import ParameterSpec
from boxtune.search.coordinates import coordinate

Choice = int | float | str  # a value as Optuna has it


@dataclass(frozen=True)
class Dimension:
    """One parameter as Optuna sees it.

    Attributes:
        distribution: Optuna's.
        encode: from an assignment's text to Optuna's value.
        decode: back; `decode(encode(text)) == text` for every text that `decode` has made.
    """

    distribution: BaseDistribution
    encode: Callable[[str], Choice]
    decode: Callable[[Choice], str]


def dimension(spec: ParameterSpec) -> Dimension:
    """The dimension of `spec`."""
    if spec.values:
        return Dimension(
            CategoricalDistribution(spec.values),
            lambda text: spec.values[spec.index_of(text)],
            str,
        )
    if spec.distribution == "uniform":
        return _plain(spec, log=False)
    if spec.distribution == "logUniform" and spec.step is None:
        return _plain(spec, log=True)
    place = coordinate(spec)
    return Dimension(FloatDistribution(0.0, 1.0), place.encode, lambda share: place.decode(float(share)))


def _plain(spec: ParameterSpec, *, log: bool) -> Dimension:
    """What lies between two steps, as a base config's own value may, is the nearest of them: Optuna takes no other."""

    def decode(value: Choice) -> str:
        return spec.text(float(value))

    if spec.parameter_type == "int":
        whole = IntDistribution(int(spec.low), int(spec.high), log=log, step=int(spec.step or 1))
        return Dimension(whole, lambda text: int(spec.text(float(text))), decode)
    # Optuna wants the range to be a whole number of steps.
    top = float(spec.value_at(spec.count - 1)) if spec.step and spec.count else spec.high
    distribution = FloatDistribution(spec.low, top, log=log, step=spec.step)
    return Dimension(distribution, lambda text: float(spec.text(float(text))), decode)
