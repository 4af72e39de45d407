"""A base config's own value that lies between the steps of a parameter."""

from __future__ import annotations

import pytest

from boxtune.experiment.space import ParameterSpec
from tests.boxtune.search.story import ENDLESS, Story, experiment

SPACE = (
    ParameterSpec("size", "int", 256, 512, 64),
    ParameterSpec("iou", "double", 0.4, 0.69, 0.1),
    ParameterSpec("rate", "double", 1e-5, 1e-3, None, (), "logUniform"),
)


@pytest.mark.parametrize("algorithm", ENDLESS)
@pytest.mark.parametrize("iou", ["0.47", "0.69"])  # the last point is 0.6
def test_it_is_learned_from_and_suggestions_stay_on_the_grid(algorithm: str, iou: str) -> None:
    story = Story(experiment(algorithm, SPACE))
    story.observe({"size": "300", "iou": iou, "rate": "0.0001"}, 0.5)
    for number in range(12):
        found = story.ask()
        assert found["size"] in {"256", "320", "384", "448", "512"}
        assert found["iou"] in {"0.4", "0.5", "0.6"}
        story.tell(number, number / 100)
