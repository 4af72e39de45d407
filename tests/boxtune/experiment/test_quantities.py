"""Amounts in a pod, as Kubernetes reads them."""

from __future__ import annotations

import pytest

from boxtune.experiment.quantities import quantity_problem


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
