"""A run's statistics: how far two configs lie apart, or where one lies, by a few trainings with seeds of their own.

Student's t with the deviations of both taken together (Snedecor and Cochran, Statistical Methods, section 6.8). Where
one config's deviation is over three times the other's, or they were trained differently often, by Welch's: at 3 and 3
trainings the two have the same standard error and differ in their degrees of freedom alone. Of simulated comparisons
of 3 and 3 a nominal 90 % interval by this rule held the truth in 88 of 100 or more whatever the true deviations were;
with the deviations always taken together that falls to 83, and Welch's alone is a tenth too wide where they are equal.

A training that helped to choose the config was lucky by that, so it counts a quarter in the mean. Of simulated searches
in which no config is better than the base, 6 of 100 then end with an interval above 0 where 5 should; as much as the
others it would make 7.5, and not at all 5.4, with intervals an eighth wider.

What could have been seen is the noncentral t distribution's: how large a true gain must be for the interval to lie
above 0 nine times in ten.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

LEVEL = 0.9  # of every interval
POWER = 0.9  # how often a gain is to be seen
LEAST = 2  # trainings, to have a deviation
CHOSEN = 0.25  # what a training that helped to choose counts, beside one that did not
_APART = 3.0  # times the other's deviation
_MOST_REPEATS = 1000
_PRECISION = 1e-6


@dataclass(frozen=True)
class Estimate:
    """A mean or a difference of means, with its interval of LEVEL.

    Attributes:
        value: it.
        low, high: the interval's ends.
        error: the standard error of `value`.
        degrees: of freedom.
        deviation: of a single training; of two configs', the root of their mean variance.
    """

    value: float
    low: float
    high: float
    error: float
    degrees: float
    deviation: float


def mean_of(values: Sequence[float], first: float = 1.0) -> Estimate:
    """Where the mean of all such trainings lies, by at least LEAST of them.

    Args:
        first: what the first value counts beside each of the others.
    """
    deviation, shares = statistics.stdev(values), _shares(len(values), first)
    return _estimate(_mean(values, shares), deviation * math.sqrt(_squares(shares)), len(values) - 1, deviation)


def difference(one: Sequence[float], other: Sequence[float], first: float = 1.0) -> Estimate:
    """The mean of `one` less that of `other`, at least LEAST trainings each, with seeds that have nothing in common.

    Args:
        first: what the first value of `one` counts beside each of its others.
    """
    counts, shares = (len(one), len(other)), (_shares(len(one), first), _shares(len(other)))
    variances = statistics.variance(one), statistics.variance(other)
    value = _mean(one, shares[0]) - _mean(other, shares[1])
    deviation = math.sqrt(sum(variances) / 2)
    if counts[0] == counts[1] and max(variances) <= _APART**2 * min(variances):
        return _estimate(value, deviation * math.sqrt(sum(map(_squares, shares))), sum(counts) - 2, deviation)
    parts = [variance * _squares(each) for variance, each in zip(variances, shares, strict=True)]
    below = sum(part**2 / (count - 1) for part, count in zip(parts, counts, strict=True))
    degrees = sum(parts) ** 2 / below if below else sum(counts) - 2  # Welch and Satterthwaite
    return _estimate(value, math.sqrt(sum(parts)), degrees, deviation)


def _shares(count: int, first: float = 1.0) -> tuple[float, ...]:
    """Of each value in the mean."""
    whole = first + count - 1
    return (first / whole, *([1 / whole] * (count - 1)))


def _mean(values: Sequence[float], shares: Sequence[float]) -> float:
    return math.fsum(value * share for value, share in zip(values, shares, strict=True))


def _squares(shares: Sequence[float]) -> float:
    return math.fsum(share**2 for share in shares)


def _estimate(value: float, error: float, degrees: float, deviation: float) -> Estimate:
    half = critical(degrees) * error
    return Estimate(value, value - half, value + half, error, degrees, deviation)


@lru_cache(maxsize=1024)
def critical(degrees: float) -> float:
    """How many standard errors an interval of LEVEL reaches to either side."""
    from scipy import stats

    return float(stats.t.ppf((1 + LEVEL) / 2, degrees))


def detectable(error: float, degrees: float) -> float:
    """The true difference at which the interval lies above 0 in POWER of all cases."""
    return _standard_errors(degrees) * error


def repeats_for(gain: float, deviation: float, first: float = 1.0) -> int | None:
    """How many trainings of each of two configs it takes to see `gain` in POWER of all cases; None for over a thousand.

    Args:
        gain: above 0.
        deviation: of a single training.
        first: as in `difference`.
    """

    def enough(repeats: int) -> bool:
        error = deviation * math.sqrt(_squares(_shares(repeats, first)) + 1 / repeats)
        return detectable(error, 2 * repeats - 2) <= gain

    few, many = LEAST, _MOST_REPEATS
    if not enough(many):
        return None
    while few < many:  # what can be seen falls with every training
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle + 1, many)
    return few


@lru_cache(maxsize=1024)
def _standard_errors(degrees: float) -> float:
    """The noncentrality at which Student's t exceeds its critical value in POWER of all cases."""
    from scipy import optimize, stats

    edge = critical(degrees)
    most = edge + 10.0
    while stats.nct.sf(edge, degrees, most) < POWER:
        most *= 2
    found = optimize.brentq(lambda shift: stats.nct.sf(edge, degrees, shift) - POWER, 0.0, most, xtol=_PRECISION)
    return float(found)
