"""The shapes of distributions, the order of a grid."""

from __future__ import annotations

import math

from boxtune.experiment.space import ParameterSpec
from tests.boxtune.search.story import SMALL, Story, experiment, play


def test_a_grid_is_in_the_order_of_the_file_or_shuffled() -> None:
    plain, shuffled = Story(experiment("grid", SMALL)), Story(experiment("grid", SMALL, {"random_state": "1"}))
    asked = [tuple(plain.ask().values()) for _ in range(5)]
    assert asked[:3] == [("0.001", "1", "8"), ("0.001", "1", "16"), ("0.001", "2", "8")]
    assert [tuple(shuffled.ask().values()) for _ in range(5)] != asked


def test_a_grid_ends_at_the_last_step_below_max() -> None:
    spec = ParameterSpec("x", "double", 0.0, 1.0, 0.3)
    assert [spec.value_at(index) for index in range(spec.count or 0)] == ["0.0", "0.3", "0.6", "0.9"]


def test_distributions_have_their_shape() -> None:
    asked = play(Story(experiment("random")), 400)
    logs = [math.log10(float(assignments["rate"])) for assignments in asked]
    assert abs(sum(logs) / len(logs) + 4) < 0.1
    bells = [float(assignments["bell"]) for assignments in asked]
    deviation = math.sqrt(sum((bell - 0.5) ** 2 for bell in bells) / len(bells))
    assert abs(deviation - 1 / 6) < 0.03
    medians = sorted(int(assignments["log_bell"]) for assignments in asked)
    assert 20 < medians[200] < 50  # the middle of 1 to 1000 on a logarithmic scale is 32
