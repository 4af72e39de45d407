"""Whatever stands where something else should is a problem at its place: never a traceback, never passed over."""

from __future__ import annotations

import contextlib
import copy
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.checking.check import CheckOptions, check
from boxtune.errors import BoxtuneError
from boxtune.experiment.loading import load_experiment
from boxtune.experiment.template import TrialTemplate
from boxtune.problems import Problem
from tests.conftest import EXPERIMENTS
from tests.experiments import write

CONFIG_MAP, EXPERIMENT = yaml.safe_load_all((EXPERIMENTS / "random-search.yaml").read_text())
WRONG: list[Any] = [
    "text",
    7,
    None,
    [{}],
    {"a": 1},
    datetime.date(2026, 1, 1),
]


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of everything in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


PLACES = list(places(EXPERIMENT))


def changed(place: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The Experiment with `value` at a place."""
    experiment: dict[str, Any] = copy.deepcopy(EXPERIMENT)
    inner: Any = experiment
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    return experiment


def problems_of(path: Path) -> list[Problem]:
    try:
        return check(path, CheckOptions(katib=True))
    except BoxtuneError:
        return []


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_anything_anywhere_is_told_in_one_line(wrong: Any, tmp_path: Path) -> None:
    for place in PLACES:
        file = write(tmp_path / "experiment.yaml", CONFIG_MAP, changed(place, wrong))
        for problem in problems_of(file):
            assert "\n" not in str(problem)
            assert problem.line >= 1
        with contextlib.suppress(BoxtuneError):
            load_experiment(file)


@pytest.mark.parametrize(
    "place", [place for place in PLACES if place[:1] == ("spec",)], ids=lambda p: ".".join(map(str, p))
)
def test_a_structure_of_the_wrong_type_is_a_problem_at_its_path(place: tuple[str | int, ...], tmp_path: Path) -> None:
    before = EXPERIMENT
    for part in place:
        before = before[part]
    wrong = {"a": [1]} if not isinstance(before, dict) else [1]
    if isinstance(before, dict) and before and all(isinstance(each, str) for each in before.values()):
        wrong = [1]  # labels and the like
    found = problems_of(write(tmp_path / "experiment.yaml", CONFIG_MAP, changed(place, wrong)))
    path = ".".join(map(str, place))
    about = [each for each in found if each.severity == "error" and path.startswith(each.path) and each.path]
    assert about or any(each.path.startswith(path) for each in found), [str(each) for each in found]


def test_a_template_is_kept_typed() -> None:
    template = load_experiment(EXPERIMENTS / "random-search.yaml").template
    assert isinstance(template, TrialTemplate)
    job = template.job
    assert job is not None
    assert job.backoff_limit == 0
    assert [each.name for each in job.pod.containers] == ["trial"]
    assert template.references["learningRate"] == "learning_rate"
    assert template.retain
