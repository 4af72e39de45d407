"""Hyperband with the settings of Katib's own service; each rung of a bracket is a trial of its own."""

from __future__ import annotations

import math

from boxtune.errors import ExperimentError
from boxtune.problems import error
from boxtune.search.algorithm import Algorithm
from boxtune.search.hyperband import HyperbandPolicy
from boxtune.search.policy import Policy, SearchProblem
from boxtune.search.settings import RANDOM_STATE, SEED, AnySetting, Setting

ETA, MOST, RESOURCE = "eta", "r_l", "resource_name"
_LEAST_ETA = 2
_SETTINGS: dict[str, AnySetting] = {
    # Katib's service takes every r_l from 0 on, and fails below 1.
    MOST: Setting(
        float, lambda value: 1 <= value < math.inf, "a number of at least 1: the resource of a whole training"
    ),
    ETA: Setting(float, lambda value: _LEAST_ETA <= value < math.inf, "a number of at least 2"),
    RESOURCE: Setting(str, bool, "the name of a parameter"),
    SEED: RANDOM_STATE,
}
_NEEDED = {MOST: "the resource of a whole training", RESOURCE: "the parameter that the resource is given in"}
_WHERE = "spec.algorithm.algorithmSettings"


def _policy(problem: SearchProblem) -> Policy:
    """
    Raises:
        ExperimentError: a setting that it cannot do without is missing, or names no parameter.
    """
    given = problem.settings
    missing = [f"{name} ({meaning})" for name, meaning in _NEEDED.items() if name not in given]
    if missing:
        raise ExperimentError(error(_WHERE, f"hyperband needs {' and '.join(missing)}"))
    resource = next((spec for spec in problem.space if spec.name == given[RESOURCE]), None)
    if resource is None:
        names = ", ".join(spec.name for spec in problem.space)
        what = f"hyperband's {RESOURCE} {given[RESOURCE]} is no parameter; there are {names}"
        raise ExperimentError(error(_WHERE, what))
    return HyperbandPolicy(problem, float(given[MOST]), float(given.get(ETA, 3)), resource)


def needs_parallel(r_l: float, eta: float) -> int:
    """The parallelTrialCount that Katib's service wants at least; it takes eta as a whole number for that."""
    whole = int(eta)
    many: int = whole ** int(math.log(r_l) / math.log(whole))
    return many


def _service_takes(name: str, text: str) -> bool:
    """Whether Katib's service takes a setting: it passes over names that it does not know, and makes an eta of 0 or
    less a 3.
    """
    if name in (MOST, RESOURCE):
        return False
    value = _number(text)
    return name != ETA or (value is not None and int(value) != 1)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


ALGORITHM = Algorithm(_SETTINGS, _policy, _service_takes)
