"""The same seed gives the same suggestions as ever: sequences that were recorded once, in sequences.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.boxtune.search.story import Story, experiment, value_of

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "sequences.json").read_text())
NAMES = [
    f"{each['algorithm']}-{each['parallel']}-at-a-time-{each['settings'].get('random_state', 0)}" for each in RECORDED
]


@pytest.mark.parametrize("recorded", RECORDED, ids=NAMES)
def test_the_recorded_suggestions_come_again(recorded: dict[str, Any]) -> None:
    """Some at a time, each fifth failing, with a baseline where there are several at a time."""
    maximize: bool = recorded["maximize"]
    story = Story(experiment(recorded["algorithm"], settings=recorded["settings"], maximize=maximize))
    if recorded["observed"]:
        story.observe(recorded["observed"], value_of(recorded["observed"]))
    suggested, running = recorded["suggested"], []
    for number in range(len(suggested)):
        assert story.ask() == suggested[number], number
        running.append(number)
        if len(running) < recorded["parallel"] and number + 1 < len(suggested):
            continue
        ended = running.pop(0 if (number + 1) % 3 else -1)
        value = value_of(suggested[ended])
        story.tell(ended, None if ended % 5 == 4 else value if maximize else -value)
