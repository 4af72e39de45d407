"""Amounts in a pod, as Kubernetes reads them."""

from __future__ import annotations

import pytest

from boxtune.experiment.quantities import canonical, quantity_problem


@pytest.mark.parametrize("amount", [1, 1.5, "1", "500m", "12Gi", "1e3", "0.5", ".5", "-1", "100M", "1E"])
def test_an_amount(amount: object) -> None:
    assert quantity_problem(amount, "limits.memory") is None


@pytest.mark.parametrize("amount", [True, "", "12 Gi", "12gb", "Gi", "1.2.3", "many", None])
def test_no_amount(amount: object) -> None:
    found = quantity_problem(amount, "limits.memory")
    assert found is not None
    assert (found.path, found.severity) == ("limits.memory", "error")
    assert "12Gi" in found.what


@pytest.mark.parametrize(("amount", "right"), [(1, True), ("2", True), ("0", True), ("500m", False), (-1, False)])
def test_gpus_are_whole(amount: object, right: bool) -> None:
    assert (quantity_problem(amount, "resources.limits.nvidia.com/gpu") is None) == right


def test_a_parameter_is_none_because_katib_tries_a_word_there() -> None:
    found = quantity_problem("${trialParameters.memory}", "limits.memory")
    assert found is not None
    assert "word" in found.what


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("2048Mi", "2Gi"),
        ("2Gi", "2Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1024", "1024"),
        ("1000", "1k"),
        ("1e3", "1e3"),
        ("12e2", "1200"),
        ("512Ki", "512Ki"),
        ("0.1n", "1n"),
        ("-1000m", "-1"),
        ("10Ei", "9223372036854775807"),
        ("0Gi", "0"),
        ("1.", "1."),
    ],
)
def test_an_amount_as_go_writes_it(amount: str, written: str) -> None:
    """The right sides are what `resource.ParseQuantity` of Kubernetes v0.34 makes of the left."""
    assert canonical(amount) == written
