"""A small Gaussian process: what scores are to be expected at points that were not tried, and how surely.

Matern 5/2 with a length for each parameter, and a noise that is learned and differs between observations by factors
that are given. scikit-learn's has neither such a noise nor priors, without which lengths of six parameters learned from
ten observations say whatever the last one did. What another run observed has a zero of its own, and says of this one
as much as the two turn out to agree, which is learned too: a run that misleads is soon not listened to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_SQRT5 = math.sqrt(5.0)
_JITTER = 1e-8
_LENGTH_SPREAD, _NOISE_SPREAD, _HEIGHT_SPREAD = 0.7, 1.0, 0.5  # of the priors' logarithms
_NOISE = 0.05  # the prior's median, of a height of 1
_OFFSET = 1.0  # the variance of another run's zero
_APART, _APART_SPREAD = 0.3, 1.5  # minus the logarithm of two runs' correlation: the prior's median, and its spread
_BOUND = 4.0  # how many such spreads the logarithms may leave their medians by


class GaussianProcess:
    """Fitted to observations once; scores should have a variance of about 1."""

    def __init__(
        self,
        points: Array,
        scores: Array,
        factors: Array,
        groups: Sequence[int],
        runs: NDArray[np.int_] | None = None,
    ) -> None:
        """
        Args:
            points: (observations, columns).
            scores: (observations,).
            factors: (observations,), of the noise's variance at each.
            groups: the parameter that each column belongs to, from 0; the columns of one share their length.
            runs: (observations,), 0 for the run that is asked about; None where all are of that.
        """
        self._groups = np.asarray(groups)
        self._points, self._factors = points, factors
        self._mean = float(np.mean(scores)) if len(scores) else 0.0
        self._scores = scores - self._mean
        parameters = int(self._groups.max()) + 1
        # The more parameters there are, the longer each one's length: the distance between points grows as their root.
        length = math.log(0.5 * math.sqrt(parameters))
        self._runs = np.zeros(len(points), dtype=np.int_) if runs is None else runs
        self._medians = np.array([*[length] * parameters, math.log(_NOISE), 0.0, math.log(_APART)])
        self._spreads = np.array([*[_LENGTH_SPREAD] * parameters, _NOISE_SPREAD, _HEIGHT_SPREAD, _APART_SPREAD])
        self._squares = self._by_parameter(points, points)
        self._compare_runs()
        self._logarithms = self._fitted()
        self._condition()

    def believe(self, points: Array) -> GaussianProcess:
        """The same process after `points` have given what it expects of them, with the highest noise's factor."""
        other = object.__new__(GaussianProcess)
        other.__dict__.update(self.__dict__)
        expected = self.expect(points)[0] - self._mean
        other._points = np.vstack([self._points, points])
        other._scores = np.concatenate([self._scores, expected])
        other._factors = np.concatenate([self._factors, np.full(len(points), self._factors.max())])
        other._runs = np.concatenate([self._runs, np.zeros(len(points), dtype=np.int_)])
        other._squares = other._by_parameter(other._points, other._points)
        other._compare_runs()
        other._condition()
        return other

    def expect(self, points: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the score itself, without noise, at points of shape (points, columns)."""
        lengths, _, height, apart = self._parts(self._logarithms)
        cross = height * _matern(self._distances(self._by_parameter(points, self._points), lengths))
        cross = cross * np.exp(-apart * (self._runs > 0))
        mean = cross @ self._weights + self._mean
        reduced = np.linalg.solve(self._factor, cross.T)
        return mean, np.sqrt(np.maximum(height - (reduced**2).sum(axis=0), 1e-12))

    def _by_parameter(self, one: Array, other: Array) -> Array:
        """Squared distances (parameters, one, other)."""
        squares = (one[:, None, :] - other[None, :, :]) ** 2
        parameters = int(self._groups.max()) + 1
        return np.stack([squares[:, :, self._groups == each].sum(axis=2) for each in range(parameters)])

    @staticmethod
    def _distances(squares: Array, lengths: Array) -> Array:
        distances: Array = np.sqrt(np.tensordot(lengths**-2.0, squares, axes=1))
        return distances

    def _parts(self, logarithms: Array) -> tuple[Array, float, float, float]:
        """Lengths by parameter, the noise's variance, the height's, how far runs are apart."""
        parts = np.exp(logarithms)
        return parts[:-3], float(parts[-3]), float(parts[-2]), float(parts[-1])

    def _fitted(self) -> Array:
        """The logarithms of lengths, noise, height and distance of runs that are the likeliest, priors included."""
        from scipy.optimize import minimize

        bounds = list(zip(self._medians - _BOUND * self._spreads, self._medians + _BOUND * self._spreads, strict=True))
        found = minimize(self._unlikely, self._medians, jac=True, method="L-BFGS-B", bounds=bounds)
        logarithms: Array = found.x
        return logarithms

    def _unlikely(self, logarithms: Array) -> tuple[float, Array]:
        """The negative logarithm of the posterior, and its gradient."""
        lengths, noise, height, apart = self._parts(logarithms)
        count = len(self._scores)
        distances = self._distances(self._squares, lengths)
        agreement = height * np.exp(-apart * self._differ)
        kernel = agreement * _matern(distances)
        factor = np.linalg.cholesky(kernel + self._unexplained(noise))
        inverse = np.linalg.inv(factor)
        inverse = inverse.T @ inverse
        weights = inverse @ self._scores
        off = (logarithms - self._medians) / self._spreads
        unlikely = 0.5 * self._scores @ weights + np.log(np.diag(factor)).sum() + 0.5 * off @ off
        inner = inverse - np.outer(weights, weights)  # of the gradient: half the trace of this times the derivative
        shape = agreement * 5.0 / 3.0 * (1.0 + _SQRT5 * distances) * np.exp(-_SQRT5 * distances)
        by_length = 0.5 * (self._squares.reshape(len(lengths), count * count) @ (inner * shape).ravel()) / lengths**2
        by_noise = 0.5 * noise * (np.diag(inner) @ self._factors)
        scaled = inner * kernel
        by_height = 0.5 * scaled.sum()
        by_apart = -0.5 * apart * (scaled * self._differ).sum()
        return float(unlikely), np.array([*by_length, by_noise, by_height, by_apart]) + off / self._spreads

    def _unexplained(self, noise: float) -> Array:
        """The covariance of what is no difference of points: the noise, and other runs' offsets."""
        covariance: Array = np.diag(noise * self._factors + _JITTER) + _OFFSET * self._share_zero
        return covariance

    def _compare_runs(self) -> None:
        """Which two observations are of different runs, and which are of one other run; 0 where all are of one."""
        self._differ: Array | float = 0.0
        self._share_zero: Array | float = 0.0
        if self._runs.any():
            differ = self._runs[:, None] != self._runs[None, :]
            self._differ = differ.astype(np.float64)
            self._share_zero = (~differ & (self._runs > 0)).astype(np.float64)

    def _condition(self) -> None:
        """Prepare `expect`."""
        lengths, noise, height, apart = self._parts(self._logarithms)
        agreement = height * np.exp(-apart * self._differ)
        kernel = agreement * _matern(self._distances(self._squares, lengths))
        self._factor = np.linalg.cholesky(kernel + self._unexplained(noise))
        self._weights = np.linalg.solve(self._factor.T, np.linalg.solve(self._factor, self._scores))

    @property
    def best(self) -> float:
        """The highest score that it expects at a point that was tried: noise alone makes no record."""
        return float(self.expect(self._points)[0].max())

    def improvement(self, points: Array) -> Array:
        """How much each point is expected to better `best` by."""
        from scipy.special import ndtr

        mean, deviation = self.expect(points)
        ahead = mean - self.best
        place = ahead / deviation
        expected: Array = ahead * ndtr(place) + deviation * np.exp(-0.5 * place**2) / math.sqrt(2 * math.pi)
        return expected


def _matern(distances: Array) -> Array:
    scaled = _SQRT5 * distances
    kernel: Array = (1.0 + scaled + scaled**2 / 3.0) * np.exp(-scaled)
    return kernel
