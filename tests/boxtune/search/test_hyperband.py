"""hyperband: the trials of Katib's service, from the trials alone."""

from __future__ import annotations

import pytest

from boxtune.errors import ExperimentError
from boxtune.experiment.space import ParameterSpec
from boxtune.search.hyperband import Bracket, brackets
from tests.boxtune.search.story import Story, experiment

SPACE = (ParameterSpec("rate", "double", 0.0, 1.0), ParameterSpec("epochs", "int", 1.0, 1.0))
SETTINGS = {"r_l": "9", "eta": "3", "resource_name": "epochs"}


def search(maximize: bool = True, failing: tuple[int, ...] = ()) -> list[tuple[float, int]]:
    """Rate and epochs of each trial; the objective is the rate."""
    story, asked = Story(experiment("hyperband", SPACE, SETTINGS, maximize)), []
    while story.suggest() is not None:
        assignments = story.ask()
        rate = float(assignments["rate"])
        asked.append((rate, int(assignments["epochs"])))
        number = len(asked) - 1
        story.tell(number, None if number in failing else rate)
        assert story.fresh().suggest() == story.suggest()
    return asked


@pytest.mark.parametrize("maximize", [True, False])
def test_the_best_of_each_rung_are_tried_with_three_times_the_resource(maximize: bool) -> None:
    asked = search(maximize)
    assert [epochs for _, epochs in asked] == [*[1] * 9, *[3] * 3, 9, *[3] * 5, *[9] * 2, *[9] * 3]
    first = sorted((rate for rate, _ in asked[:9]), reverse=maximize)
    assert [rate for rate, _ in asked[9:12]] == first[:3]
    assert asked[12] == (first[0], 9)
    second = sorted((rate for rate, _ in asked[13:18]), reverse=maximize)
    assert [rate for rate, _ in asked[18:20]] == second[:2]
    assert len({rate for rate, _ in asked}) == 9 + 5 + 3


@pytest.mark.parametrize(
    ("r_l", "eta", "expected"),
    [
        (9, 3, [(9, 1, 2), (5, 3, 1), (3, 9, 0)]),
        (2, 2, [(2, 1, 1), (2, 2, 0)]),
        (10, 3, [(9, 1, 2), (5, 3, 1), (3, 10, 0)]),
        (1, 3, [(1, 1, 0)]),
        # Katib's own quotient of logarithms is just below 5 here, and so is ours.
        (243, 3, [(81, 3, 4), (34, 9, 3), (15, 27, 2), (8, 81, 1), (5, 243, 0)]),
    ],
)
def test_brackets_are_the_service_s(r_l: float, eta: float, expected: list[tuple[int, int, int]]) -> None:
    assert list(brackets(r_l, eta)) == [Bracket(*each) for each in expected]


def test_a_rung_waits_for_the_one_before() -> None:
    story = Story(experiment("hyperband", SPACE, SETTINGS))
    for _ in range(9):
        story.ask()
    assert story.suggest() is None
    for number in range(8):
        story.tell(number, float(number))
    assert story.suggest() is None
    story.tell(8, 8.0)
    assert story.ask()["epochs"] == "3"


def test_failed_trials_have_no_child() -> None:
    asked = search(failing=tuple(range(7)))
    assert [epochs for _, epochs in asked[:13]] == [*[1] * 9, 3, 3, 9, 3]


def test_a_small_space_is_not_tried_twice_with_the_same_resource() -> None:
    space = (ParameterSpec("kind", "categorical", values=("a", "b")), SPACE[1])
    story = Story(experiment("hyperband", space, SETTINGS))
    asked = []
    while story.suggest() is not None:
        asked.append(tuple(story.ask().values()))
        story.tell(len(asked) - 1, 0.5)
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, r"hyperband needs r_l \(the resource of a whole training\) and resource_name \(the parameter"),
        ({"r_l": "9"}, r"hyperband needs resource_name"),
        ({"r_l": "9", "resource_name": "steps"}, "resource_name steps is no parameter; there are rate, epochs"),
    ],
)
def test_what_it_cannot_do_without_is_named(settings: dict[str, str], says: str) -> None:
    with pytest.raises(ExperimentError, match=says):
        Story(experiment("hyperband", SPACE, settings))
