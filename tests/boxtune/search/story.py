"""A search as a story: trials that are asked for and end, told to a policy as a run tells them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from boxtune.experiment.experiment import Collector, Counts, Experiment, Objective
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.runs.trial import Condition, Metric, Role, Trial
from boxtune.search.catalogue import ALGORITHMS as CATALOGUE
from boxtune.search.catalogue import create_policy

LEARNING = ["tpe", "multivariate-tpe", "bayesianoptimization", "cmaes"]
ENDLESS = ["random", "sobol", *LEARNING]  # they search ranges too
RUNGS = ["hyperband", "asha"]  # they decide more than a draw
ALGORITHMS = [name for name in CATALOGUE if name not in RUNGS]
SHORT = {"bayesianoptimization": 14}  # a third of a second each, once ten are known
SEEDED = [name for name in ALGORITHMS if name != "sobol"]
SPACE = (
    ParameterSpec("rate", "double", 1e-5, 1e-3, None, (), "logUniform"),
    ParameterSpec("batch", "discrete", values=("8", "16", "32", "64")),
    ParameterSpec("iou", "double", 0.4, 0.7, 0.05),
    ParameterSpec("plain", "double", -1.0, 1.0),
    ParameterSpec("layers", "int", 1, 100, 3),
    ParameterSpec("power", "int", 1, 1024, None, (), "logUniform"),
    ParameterSpec("bell", "double", 0.0, 1.0, None, (), "normal"),
    ParameterSpec("log_bell", "int", 1, 1000, None, (), "logNormal"),
    ParameterSpec("fine", "double", 0.001, 1.0, 0.001, (), "logUniform"),
    ParameterSpec("stepped_bell", "double", 0.0, 1.0, 0.1, (), "normal"),
    ParameterSpec("kind", "categorical", values=("a", "b", "c")),
    ParameterSpec("one", "double", 0.5, 0.5),
)
FINITE = (
    ParameterSpec("rate", "double", 0.0001, 0.0009, 0.0002),
    ParameterSpec("iou", "double", 0.4, 0.7, 0.05),
    ParameterSpec("layers", "int", 1, 10, 3),
    ParameterSpec("kind", "categorical", values=("a", "b", "c")),
)
SMALL = (  # twelve points
    ParameterSpec("rate", "double", 0.001, 0.003, 0.001),
    ParameterSpec("layers", "int", 1, 2),
    ParameterSpec("batch", "discrete", values=("8", "16")),
)


def space_of(algorithm: str) -> tuple[ParameterSpec, ...]:
    """The largest space that it can search."""
    return FINITE if algorithm == "grid" else SPACE


def experiment(
    algorithm: str,
    space: tuple[ParameterSpec, ...] | None = None,
    settings: Mapping[str, str] | None = None,
    maximize: bool = True,
) -> Experiment:
    """An Experiment with nothing but a search."""
    objective = Objective("m", maximize, None, (), {"m": "max"})
    return Experiment(
        "e",
        "",
        {},
        objective,
        Counts(1, None, None),
        Collector(),
        algorithm,
        settings or {},
        space_of(algorithm) if space is None else space,
    )


class Story:
    """The trials of a search so far, and the policy that suggests them."""

    def __init__(self, searched: Experiment) -> None:
        self.experiment = searched
        self.policy = create_policy(searched)
        self.trials: dict[str, Trial] = {}
        self._events = 0

    def suggest(self) -> Assignments | None:
        """What comes next, not begun."""
        suggestion = self.policy.suggest(list(self.trials.values()))
        return suggestion.assignments if suggestion is not None else None

    def ask(self) -> Assignments:
        """The next trial, which must be there, begun."""
        suggestion = self.policy.suggest(list(self.trials.values()))
        assert suggestion is not None
        self.restore(suggestion.number, suggestion.assignments)
        return suggestion.assignments

    def restore(self, number: int, assignments: Assignments) -> None:
        """Trial `number` was begun with `assignments`."""
        self._add(Trial(str(number), Role.SUGGESTED, number, assignments, created=self._event()))

    def tell(self, number: int, value: float | None) -> None:
        """Trial `number` ended with this value; None where it failed."""
        self.trials[str(number)] = self._ended(self.trials[str(number)], value)

    def end(self, number: int, **how: Any) -> None:
        """Trial `number` ended with these fields."""
        self.trials[str(number)] = replace(self.trials[str(number)], completed=self._event(), **how)

    def observe(self, assignments: Assignments, value: float) -> None:
        """The baseline gave this value."""
        self._add(self._ended(Trial("baseline", Role.BASELINE, None, assignments, created=self._event()), value))

    def fresh(self) -> Story:
        """The same trials, told to a policy that has seen none of them."""
        other = Story(self.experiment)
        other.trials, other._events = dict(self.trials), self._events
        return other

    def _add(self, trial: Trial) -> None:
        self.trials[trial.name] = trial

    def _ended(self, trial: Trial, value: float | None) -> Trial:
        condition = Condition.FAILED if value is None else Condition.SUCCEEDED
        observation = {} if value is None else {"m": Metric("m", repr(value), repr(value), repr(value))}
        return replace(trial, condition=condition, observation=observation, completed=self._event())

    def _event(self) -> int:
        self._events += 1
        return self._events


def value_of(assignments: Assignments) -> float:
    """Best at a rate of 0.0001 and an IoU of 0.55."""
    return -abs(math.log10(float(assignments["rate"])) + 4) - abs(float(assignments["iou"]) - 0.55)


def play(story: Story, trials: int, first: int = 0) -> list[Assignments]:
    """Ask and tell, every fifth trial failing."""
    asked = []
    for number in range(first, first + trials):
        assignments = story.ask()
        asked.append(assignments)
        story.tell(number, None if number % 5 == 0 else value_of(assignments))
    return asked
