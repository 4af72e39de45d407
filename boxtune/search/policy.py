"""What every search policy offers, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from boxtune.experiment.experiment import Objective
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.runs.trial import Trial

SettingValue = int | float | str
Settings = Mapping[str, SettingValue]


@dataclass(frozen=True)
class SearchProblem:
    """What is searched.

    Attributes:
        space: the parameters; not empty.
        objective: what is optimised.
        settings: the algorithm's, typed, by Katib's names.
        seed: of everything random.
    """

    space: Sequence[ParameterSpec]
    objective: Objective
    settings: Settings
    seed: int


@dataclass(frozen=True)
class Suggestion:
    """The next trial.

    Attributes:
        number: of the suggestion, from 0.
        assignments: a value for every parameter.
        steps: to train to; None for the whole schedule.
        goes_on_from: the name of the trial that it is a promotion of, whose checkpoint it goes on from; empty for a
            new one.
    """

    number: int
    assignments: Assignments
    steps: int | None = None
    goes_on_from: str = ""


class Policy(Protocol):
    """Decides what is tried next.

    The trials are in their canonical order: that of their creation. Each knows its places among the run's events
    (`Trial.created`, `Trial.completed`), so that a policy can tell what was known when each was suggested: a generation
    of an evolution strategy depends on it, and what a failed trial counted as.
    """

    def suggest(self, trials: Sequence[Trial]) -> Suggestion | None:
        """The next trial after `trials`, of which those that have not ended count as running; None where there is none
        any more. The same trials give the same suggestion, whatever was asked before.
        """


def next_number(trials: Sequence[Trial]) -> int:
    """The number of the suggestion that comes after `trials`."""
    return max((trial.number for trial in trials if trial.number is not None), default=-1) + 1
