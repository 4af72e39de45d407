"""Parameters as coordinates from 0 to 1, for the algorithms that search a cube.

Equal lengths of a coordinate are equally likely: a logarithmic range is stretched, a normal one is its quantile, and a
finite range or list has one bin a value. Normal and logNormal are Katib's (mean in the middle of the range, a standard
deviation of a sixth of it), but cut to the range, which Katib's hyperopt does not do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

from boxtune.experiment.space import ParameterSpec

_SIGMAS = 6.0  # the range's width in standard deviations, as in Katib's hyperopt service


@dataclass(frozen=True)
class Coordinate:
    """One parameter as a number from 0 to 1.

    Attributes:
        encode: from an assignment's text.
        decode: back; `decode(encode(text)) == text` for every text that `decode` has made.
    """

    encode: Callable[[str], float]
    decode: Callable[[float], str]


def coordinate(spec: ParameterSpec) -> Coordinate:
    """The coordinate of `spec`."""
    if spec.values or (spec.count is not None and spec.distribution == "uniform"):
        return _bins(spec, spec.count or 1)
    return _range(spec)


def _bins(spec: ParameterSpec, count: int) -> Coordinate:
    return Coordinate(
        lambda text: (spec.index_of(text) + 0.5) / count,
        lambda share: spec.value_at(min(int(share * count), count - 1)),
    )


def _range(spec: ParameterSpec) -> Coordinate:
    logarithmic = spec.distribution.startswith("log")
    inward: Callable[[float], float] = math.log if logarithmic else float
    outward: Callable[[float], float] = math.exp if logarithmic else float
    low, high = inward(spec.low), inward(spec.high)
    if low == high:
        return Coordinate(lambda text: 0.5, lambda share: spec.text(spec.low))
    normal = NormalDist((low + high) / 2, (high - low) / _SIGMAS)
    bottom, top = normal.cdf(low), normal.cdf(high)
    is_normal = spec.distribution.endswith("ormal")

    def encode(text: str) -> float:
        place = min(max(inward(float(text)), low), high)
        share = (normal.cdf(place) - bottom) / (top - bottom) if is_normal else (place - low) / (high - low)
        return min(max(share, 0.0), 1.0)

    def decode(share: float) -> str:
        place = normal.inv_cdf(bottom + share * (top - bottom)) if is_normal else low + share * (high - low)
        return spec.text(min(max(outward(place), spec.low), spec.high))

    return Coordinate(encode, decode)
