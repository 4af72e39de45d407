"""Between Katib's parameters, as text, and Optuna's distributions.

Optuna has no normal distribution and no step on a logarithmic scale. Such a parameter is searched by its quantile
in [0, 1] and rounded to the grid afterwards; normal and logNormal are Katib's (mean in the middle of the range, a
standard deviation of a sixth of it), but cut to the range, which Katib's hyperopt does not do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist
from typing import Any

import optuna

from boxtune.experiment.space import ParameterSpec

_SIGMAS = 6.0  # the range's width in standard deviations, as in Katib's hyperopt service


@dataclass(frozen=True)
class Dimension:
    """One parameter as Optuna sees it.

    Attributes:
        distribution: Optuna's.
        encode: from an assignment's text to Optuna's value.
        decode: back; `decode(encode(text)) == text` for every text that `decode` has made.
    """

    distribution: Any
    encode: Callable[[str], Any]
    decode: Callable[[Any], str]


def dimension(spec: ParameterSpec) -> Dimension:
    """The dimension of `spec`."""
    if spec.values:
        return _choice(spec)
    if spec.distribution == "uniform":
        return _uniform(spec)
    if spec.distribution == "logUniform" and spec.step is None:
        return _logarithmic(spec)
    return _quantile(spec)


def _choice(spec: ParameterSpec) -> Dimension:
    def encode(text: str) -> str:
        value = spec.canonical(text)
        if value is None:
            raise ValueError(f"{text} is no value of {spec.name}")
        return value

    return Dimension(optuna.distributions.CategoricalDistribution(spec.values), encode, str)


def _uniform(spec: ParameterSpec) -> Dimension:
    if spec.parameter_type == "int":
        step = int(spec.step or 1)
        distribution = optuna.distributions.IntDistribution(int(spec.low), int(spec.high), step=step)
        return Dimension(distribution, lambda text: int(float(text)), lambda value: str(int(value)))
    top = _grid_top(spec)
    distribution = optuna.distributions.FloatDistribution(spec.low, top, step=spec.step)
    return Dimension(distribution, float, lambda value: _text(spec, value))


def _logarithmic(spec: ParameterSpec) -> Dimension:
    if spec.parameter_type == "int":
        distribution = optuna.distributions.IntDistribution(int(spec.low), int(spec.high), log=True)
        return Dimension(distribution, lambda text: int(float(text)), lambda value: str(int(value)))
    distribution = optuna.distributions.FloatDistribution(spec.low, spec.high, log=True)
    return Dimension(distribution, float, lambda value: _text(spec, value))


def _quantile(spec: ParameterSpec) -> Dimension:
    logarithmic = spec.distribution.startswith("log")
    inward: Callable[[float], float] = math.log if logarithmic else float
    outward: Callable[[float], float] = math.exp if logarithmic else float
    low, high = inward(spec.low), inward(spec.high)
    if low == high:
        only = _text(spec, spec.low)
        return Dimension(optuna.distributions.CategoricalDistribution((only,)), lambda text: only, str)
    normal = NormalDist((low + high) / 2, (high - low) / _SIGMAS)
    bottom, top = normal.cdf(low), normal.cdf(high)
    is_normal = spec.distribution.endswith("ormal")

    def encode(text: str) -> float:
        place = min(max(inward(float(text)), low), high)
        share = (normal.cdf(place) - bottom) / (top - bottom) if is_normal else (place - low) / (high - low)
        return min(max(share, 0.0), 1.0)

    def decode(share: float) -> str:
        place = normal.inv_cdf(bottom + share * (top - bottom)) if is_normal else low + share * (high - low)
        return _text(spec, min(max(outward(place), spec.low), spec.high))

    return Dimension(optuna.distributions.FloatDistribution(0.0, 1.0), encode, decode)


def _grid_top(spec: ParameterSpec) -> float:
    """The last value of the grid: Optuna wants the range to be a whole number of steps."""
    return float(_on_grid(spec, spec.high)) if spec.step else spec.high


def _on_grid(spec: ParameterSpec, value: float) -> Decimal:
    """The grid's value nearest to `value`, in decimals: 0.1 + 2 * 0.1 is 0.3, not 0.30000000000000004."""
    low, step = Decimal(str(spec.low)), Decimal(str(spec.step or 1.0))
    most = int((Decimal(str(spec.high)) - low) // step)
    steps: int = round((Decimal(str(value)) - low) / step)
    return low + step * min(steps, most)


def _text(spec: ParameterSpec, value: float) -> str:
    if spec.parameter_type == "int":
        return str(int(_on_grid(spec, value)))
    return repr(float(_on_grid(spec, value))) if spec.step else repr(float(value))
