"""Values are compared by what they mean."""

from __future__ import annotations

import pytest

from trial_entry.pipeline_config.values import same_value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("off", "false"),
        ("On", "TRUE"),
        ("yes", "1"),
        ("0", "off"),
        ("8", "8.0"),
        ("1e-3", "0.001"),
        ("1", "1.0"),
        ("-0", "0.0"),
        ("1.0,2.0", "1, 2"),
        ("a/ckpt-0", "a/ckpt-0"),
    ],
)
def test_these_mean_the_same(one: str, other: str) -> None:
    assert same_value(one, other)
    assert same_value(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("off", "on"), ("1", "0"), ("8", "8.1"), ("1.0", "true"), ("1,2", "2,1"), ("1,2", "1"), ("none", "off"),
     ("0.1", "0.1000000000000000055"), ("nan", "NaN"), ("a", "b")],
)  # fmt: skip
def test_these_do_not(one: str, other: str) -> None:
    assert not same_value(one, other)
    assert not same_value(other, one)
