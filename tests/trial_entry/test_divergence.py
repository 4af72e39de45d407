"""The watch over the loss."""

from __future__ import annotations

import math

import pytest

from trial_entry.divergence import DivergenceMonitor


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite(loss: float) -> None:
    monitor = DivergenceMonitor()
    assert monitor.observe(1.0) is None
    assert monitor.observe(loss) == "the loss is not finite"


def test_a_loss_that_stays_far_above_its_start() -> None:
    monitor = DivergenceMonitor(factor=10, patience=5)
    said = [monitor.observe(loss) for loss in [1.0, *[1000.0] * 5]]
    assert said[:-1] == [None] * 5
    assert said[-1] == "the loss stayed above 10 times its first value for 5 steps"


def test_a_peak_is_forgiven() -> None:
    monitor = DivergenceMonitor(factor=10, patience=5)
    assert not any(monitor.observe(loss) for loss in [1.0, 120.0, *[1.0] * 100])


def test_it_goes_on_where_it_was() -> None:
    one, other = DivergenceMonitor(patience=5), DivergenceMonitor(patience=5)
    for loss in (1.0, 1000.0, 1000.0, 1000.0):
        one.observe(loss)
    other.resume(one.state())
    assert [one.observe(1000.0), one.observe(1000.0)] == [other.observe(1000.0), other.observe(1000.0)]
