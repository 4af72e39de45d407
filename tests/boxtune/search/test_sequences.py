"""The same seed gives the same suggestions as ever: sequences that were recorded once, in sequences.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boxtune.experiment.space import Assignments
from tests.boxtune.search.story import Story, experiment, value_of

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "sequences.json").read_text())
# After its first generation CMA-ES draws along eigenvectors, whose signs are for each processor's library to choose.
COMPARED = {"cmaes": 11}
NAMES = [
    f"{each['algorithm']}-{each['parallel']}-at-a-time-{each['settings'].get('random_state', 0)}" for each in RECORDED
]


def assert_alike(found: Assignments | None, recorded: Assignments, number: int) -> None:
    """Numbers but for their last digits: another processor has another logarithm there."""
    assert found is not None
    assert found.keys() == recorded.keys()
    for name, text in recorded.items():
        if text != found[name]:
            assert float(found[name]) == pytest.approx(float(text), rel=1e-6), (number, name)


@pytest.mark.parametrize("recorded", RECORDED, ids=NAMES)
def test_the_recorded_suggestions_come_again(recorded: dict[str, Any]) -> None:
    """Some at a time, each fifth failing, with a baseline where there are several at a time."""
    maximize: bool = recorded["maximize"]
    story = Story(experiment(recorded["algorithm"], settings=recorded["settings"], maximize=maximize))
    if recorded["observed"]:
        story.observe(recorded["observed"], value_of(recorded["observed"]))
    suggested, running = recorded["suggested"], []
    for number in range(len(suggested)):
        if number < COMPARED.get(recorded["algorithm"], len(suggested)):
            assert_alike(story.suggest(), suggested[number], number)
        story.restore(number, suggested[number])
        running.append(number)
        if len(running) < recorded["parallel"] and number + 1 < len(suggested):
            continue
        ended = running.pop(0 if (number + 1) % 3 else -1)
        value = value_of(suggested[ended])
        story.tell(ended, None if ended % 5 == 4 else value if maximize else -value)
