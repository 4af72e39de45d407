"""The metrics' names: which there are, which are shares, which way is better."""

from __future__ import annotations

import pytest

from trial_entry.contract.metrics import (
    PRINTED,
    Objective,
    class_metric,
    is_metric,
    is_share,
    less_is_better,
    nearest_metric,
)


def test_each_name_stands_once() -> None:
    assert len(set(PRINTED)) == len(PRINTED)
    assert all(map(is_metric, PRINTED))


@pytest.mark.parametrize(
    ("name", "metric", "share", "less"),
    [
        ("mAP", True, True, False),
        ("AR_large", True, True, False),
        (class_metric("stop-sign"), True, True, False),
        ("mAP_class_", False, False, False),
        ("mAP_class_a b", False, False, False),
        ("precision", True, True, False),
        ("total_loss", True, False, True),
        ("train_steps_per_second", True, False, False),
        ("diverged", True, False, True),
        ("loss", False, False, False),
    ],
)
def test_what_a_name_is(name: str, metric: bool, share: bool, less: bool) -> None:
    assert (is_metric(name), is_share(name), less_is_better(name)) == (metric, share, less)


def test_the_nearest_name() -> None:
    assert nearest_metric("map") == 'the nearest is "mAP"'
    assert nearest_metric("total-loss") == 'the nearest is "total_loss"'
    assert nearest_metric("Q").startswith("there are mAP, mAP_50")


def test_better_by_an_objective() -> None:
    most, least = Objective("mAP", minimize=False), Objective("total_loss", minimize=True)
    low, high = {"mAP": 0.25, "total_loss": 0.5}, {"mAP": 0.5, "total_loss": 0.75}
    assert (most.better(high, low), most.better(low, high), most.better(low, low)) == (True, False, False)
    assert (least.better(high, low), least.better(low, high), least.better(low, low)) == (False, True, False)
    for objective in (most, least):
        assert objective.better(low, {})
        assert not objective.better({}, low)
        assert not objective.better({}, {})
