"""A Bayesian analysis of variance: how much of what was measured each parameter explains, each pair, and nothing.

What was measured is a sum of a smooth function of each parameter, one of each pair, and noise, as in functional
analysis of variance (Hooker, "Generalized Functional ANOVA Diagnostics", 2007): over the space each has the mean 0
whatever the others are, so that the variances of all add up to the whole. Each function is there or not, with a size
of its own ("spike and slab": George and McCulloch, "Variable Selection via Gibbs Sampling", 1993), and a Gibbs
sampler draws what the data leave open: which are there, what they look like, and how large the noise is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

Array = NDArray[np.float64]

_CHAINS, _DROPPED, _KEPT = 24, 40, 80  # sweeps of each
_SIZES = (0.01, 0.03, 0.1, 0.3, 1.0)  # that a function's variance may have, of that of the values
_DEGREES, _FALL = 8, 1.5  # of polynomials; how fast their variances fall, where wiggles are rarer than slopes
_MAIN, _PAIR = 0.3, 0.05  # how likely a function is there, before anything is measured


@dataclass(frozen=True)
class Basis:
    """Functions of one parameter, evaluated at the trials: orthonormal over its space, each of the mean 0.

    Attributes:
        columns: one row a trial, one column a function.
        weights: how much of its variance each has, before anything is measured; their sum is 1.
    """

    columns: Array
    weights: Array


@dataclass(frozen=True)
class Draws:
    """What the data leave open, one row a draw.

    Attributes:
        shares: of the whole variance, one column a term; 0 where it is not there.
        shares_if_there: the same, were each term there.
        rest: the share that is noise.
    """

    shares: Array
    shares_if_there: Array
    rest: Array


@dataclass(frozen=True)
class _Term:
    """A term in the basis in which its functions are uncorrelated at the trials.

    Attributes:
        start, stop: its columns.
        sizes: eigenvalues of its functions' products.
        back: from coefficients here to those of the orthonormal functions.
        likely: whether it is there, before anything is measured.
    """

    start: int
    stop: int
    sizes: Array
    back: Array
    likely: float


def smooth(places: Array, most: int) -> Basis:
    """Functions of a range: Legendre's polynomials, of which the higher ones are less likely.

    Args:
        places: of the trials, from 0 to 1, over which the range is evenly spread.
        most: how many functions at most; one less than there are different places.
    """
    count = min(_DEGREES, most)
    columns = legendre.legvander(2 * places - 1, count)[:, 1:] * np.sqrt(2 * np.arange(1, count + 1) + 1)
    return Basis(np.asarray(columns, np.float64), _falling(count))


def stepwise(indices: NDArray[np.int64], count: int, most: int) -> Basis:
    """The same of `count` ordered values, by their index from 0."""
    points = (2 * np.arange(count) + 1) / count - 1
    degrees = min(_DEGREES, most, count - 1)
    orthonormal, upper = np.linalg.qr(legendre.legvander(points, degrees))
    signed = orthonormal[:, 1:] * np.sign(np.diag(upper))[1:] * np.sqrt(count)
    return Basis(signed[indices], _falling(degrees))


def contrasts(indices: NDArray[np.int64], count: int) -> Basis:
    """Functions of `count` values without an order, by their index from 0: each against the ones before it."""
    columns = np.zeros((count, count - 1))
    for place in range(1, count):
        columns[:place, place - 1], columns[place, place - 1] = -1.0, place
    columns *= np.sqrt(count) / np.linalg.norm(columns, axis=0)
    return Basis(columns[indices], np.full(count - 1, 1 / (count - 1)))


def _falling(count: int) -> Array:
    weights: Array = np.arange(1, count + 1, dtype=np.float64) ** -_FALL
    normed: Array = weights / weights.sum()
    return normed


def pair_of(one: Basis, other: Basis, most: int = 12) -> Basis:
    """What two parameters do together: products of their functions, the `most` likely."""
    weights = np.outer(one.weights, other.weights)
    places = np.argsort(-weights, axis=None, kind="stable")[:most]
    rows, columns = np.unravel_index(places, weights.shape)
    chosen = weights[rows, columns]
    return Basis(one.columns[:, rows] * other.columns[:, columns], chosen / chosen.sum())


def draws(mains: Sequence[Basis], pairs: Sequence[Basis], values: Array, seed: int = 0) -> Draws:
    """What these terms (parameters, then pairs) may explain of the values, which must not all be equal."""
    centred = (values - values.mean()) / values.std()
    terms, design = _terms(mains, pairs)
    return _sampled(terms, design, centred, np.random.default_rng(seed))


def _terms(mains: Sequence[Basis], pairs: Sequence[Basis]) -> tuple[list[_Term], Array]:
    terms: list[_Term] = []
    blocks: list[Array] = []
    start = 0
    for basis, likely in [*((each, _MAIN) for each in mains), *((each, _PAIR) for each in pairs)]:
        scaled = (basis.columns - basis.columns.mean(axis=0)) * np.sqrt(basis.weights)
        sizes, turned = np.linalg.eigh(scaled.T @ scaled)
        stop = start + len(sizes)
        back: Array = np.sqrt(basis.weights)[:, None] * turned
        terms.append(_Term(start, stop, np.maximum(sizes, 0.0), back, likely))
        blocks.append(scaled @ turned)
        start = stop
    return terms, np.hstack(blocks)


def _sampled(terms: Sequence[_Term], design: Array, values: Array, dice: np.random.Generator) -> Draws:
    trials, width = design.shape
    products, towards = design.T @ design, design.T @ values
    found = np.zeros((_CHAINS, width))  # coefficients of each chain
    noise = np.ones(_CHAINS) * dice.uniform(0.3, 1.0, _CHAINS)
    kept: list[tuple[Array, Array, Array]] = []
    for sweep in range(_DROPPED + _KEPT):
        variances = np.zeros((_CHAINS, len(terms)))
        if_there = np.zeros((_CHAINS, len(terms)))
        for place in dice.permutation(len(terms)):
            term = terms[place]
            own = slice(term.start, term.stop)
            left = towards[own] - found @ products[:, own] + found[:, own] * term.sizes
            there, drawn = _drawn(term, left, noise, dice)
            found[:, own] = drawn * there[:, None]
            squared = ((drawn @ term.back.T) ** 2).sum(axis=1)
            if_there[:, place], variances[:, place] = squared, squared * there
        residuals = values - found @ design.T
        noise = (1e-3 + (residuals**2).sum(axis=1)) / 2 / dice.gamma((trials + 1) / 2, 1.0, _CHAINS)
        if sweep >= _DROPPED:
            whole = variances.sum(axis=1) + noise
            rest = whole[:, None] - variances
            kept.append((variances / whole[:, None], if_there / (if_there + rest), noise / whole))
    shares, alone, rest = (np.concatenate(each) for each in zip(*kept, strict=True))
    return Draws(shares, alone, rest)


def _drawn(term: _Term, left: Array, noise: Array, dice: np.random.Generator) -> tuple[Array, Array]:
    """Whether a term is there in each chain, and its coefficients if it is, given all others.

    Args:
        left: what the others leave to it.
        noise: variance of each chain.
    """
    chains = np.arange(len(noise))
    sizes = np.array(_SIZES)[:, None, None]
    scale = noise[:, None] + sizes * term.sizes
    gain = 0.5 * (left**2 * sizes / (noise[:, None] * scale) - np.log(scale / noise[:, None])).sum(axis=2)
    odds = gain + np.log(term.likely / (1 - term.likely) / len(_SIZES))
    chosen = np.argmax(odds + dice.gumbel(size=odds.shape), axis=0)  # a size for each, in proportion to its odds
    highest = np.maximum(odds.max(axis=0), 0.0)
    weight = np.exp(odds - highest).sum(axis=0)
    there = dice.random(len(noise)) < weight / (weight + np.exp(-highest))
    size, spread = np.array(_SIZES)[chosen][:, None], scale[chosen, chains]
    mean = size * left / spread
    deviation = np.sqrt(size * noise[:, None] / spread)
    return there, mean + deviation * dice.standard_normal(left.shape)
