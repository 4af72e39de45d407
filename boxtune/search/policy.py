"""What every search policy offers, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from boxtune.experiment.experiment import Objective
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.runs.prior import PriorRun
from boxtune.runs.trial import Trial
from trial_entry.pipeline_config.footprint import Footprint

SettingValue = int | float | str
Settings = Mapping[str, SettingValue]
Schedule = Callable[[Assignments], int | None]  # how many steps the whole training of assignments has; None if unknown
Footprints = Callable[[Assignments], Footprint | None]  # what their training takes of memory; None if unknown


def unknown_schedule(assignments: Assignments) -> int | None:
    """Of trials that are not trial_entry's, or whose config cannot be seen."""
    return None


def unknown_footprint(assignments: Assignments) -> Footprint | None:
    """Likewise."""
    return None


@dataclass(frozen=True)
class Surroundings:
    """What is known of a search beside its Experiment, where its trials are trial_entry's.

    Attributes:
        schedule: tells how long the training of assignments is; it is asked often, and remembers what it has told.
        most_steps: that all trials together may train; None for no such limit.
        default: the base config's own values; None where there are none within the space.
        prior: earlier runs that the search is told of; their trials are none of its own.
        footprint: tells what the training of assignments takes of memory; remembers it likewise.
    """

    schedule: Schedule = unknown_schedule
    most_steps: int | None = None
    default: Assignments | None = None
    prior: Sequence[PriorRun] = ()
    footprint: Footprints = unknown_footprint


@dataclass(frozen=True)
class SearchProblem:
    """What is searched.

    Attributes:
        space: the parameters; not empty.
        objective: what is optimised.
        settings: the algorithm's, typed, by Katib's names.
        seed: of everything random.
        most: maxTrialCount, or None.
        surroundings: what else is known.
    """

    space: Sequence[ParameterSpec]
    objective: Objective
    settings: Settings
    seed: int
    most: int | None = None
    surroundings: Surroundings = Surroundings()


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
