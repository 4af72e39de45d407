"""Statistics of a few trainings: scipy's own tests as the oracle, and how often a gain is seen that is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from boxtune.runs.difference import CHOSEN, critical, detectable, difference, mean_of, repeats_for


def test_deviations_are_taken_together() -> None:
    one, other = [0.35, 0.36, 0.34], [0.31, 0.30, 0.33]
    found, oracle = difference(one, other), stats.ttest_ind(one, other).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high))
    assert found.degrees == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [([0.35, 0.45, 0.25], [0.31, 0.30, 0.33]), ([0.35, 0.36], [0.31, 0.30, 0.33])],
    ids=["deviations differ", "counts differ"],
)
def test_welch(one: list[float], other: list[float]) -> None:
    found, oracle = difference(one, other), stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high))


def test_one_mean() -> None:
    values = [0.35, 0.36, 0.33]
    found = mean_of(values)
    oracle = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high))


def test_the_first_counts_less() -> None:
    found = difference([1.0, 0.0, 0.0], [0.0, 0.1, -0.1], CHOSEN)
    assert found.value == pytest.approx(0.25 / 2.25)
    assert mean_of([1.0, 0.0, 0.0], CHOSEN).value == pytest.approx(0.25 / 2.25)


def test_equal_values_have_no_interval() -> None:
    found = difference([0.3] * 3, [0.2] * 3)
    assert found.low == found.high == pytest.approx(0.1)


@pytest.mark.parametrize(("ratio", "least"), [(1, 0.89), (2, 0.88), (3, 0.88), (5, 0.88), (20, 0.88)])
def test_three_and_three_hold_the_truth_whatever_the_deviations(ratio: float, least: float) -> None:
    dice = np.random.default_rng(0)
    held = 0
    for one, other in zip(dice.normal(0, 1, (20_000, 3)), dice.normal(0, ratio, (20_000, 3)), strict=True):
        found = difference(one.tolist(), other.tolist())
        held += found.low <= 0 <= found.high
    assert held / 20_000 >= least


@pytest.mark.parametrize("repeats", [3, 6])
def test_a_gain_is_seen_as_often_as_is_said(repeats: int) -> None:
    dice = np.random.default_rng(1)
    gain = detectable((2 / repeats) ** 0.5, 2 * repeats - 2)
    one, other = dice.normal(gain, 1, (100_000, repeats)), dice.normal(0, 1, (100_000, repeats))
    error = np.sqrt((one.var(1, ddof=1) + other.var(1, ddof=1)) / repeats)
    seen = one.mean(1) - other.mean(1) > critical(2 * repeats - 2) * error
    assert seen.mean() == pytest.approx(0.9, abs=0.005)
    assert repeats_for(gain * 1.001, 1) == repeats
    assert repeats_for(gain * 0.999, 1) == repeats + 1


def test_what_no_thousand_trainings_would_show() -> None:
    assert repeats_for(0.001, 1.0) is None
