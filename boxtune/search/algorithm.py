"""What an algorithm's module has: its settings, and how a policy is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from boxtune.search.policy import Policy, SearchProblem
from boxtune.search.settings import AnySetting, Elsewhere, nowhere


class Teaches(Enum):
    """What of earlier runs' trials an algorithm can learn from."""

    NOTHING = "nothing"
    WHOLE = "whole"  # trainings to their end
    RUNGS = "rungs"  # and those that were paused on the way


@dataclass(frozen=True)
class Algorithm:
    """One algorithm: boxtune/search/algorithms/NAME.py has one, as ALGORITHM.

    Attributes:
        settings: its settings, by Katib's names.
        policy: makes its policy for a problem (`sampling(...)` where it draws one trial at a time); raises
            ExperimentError for a problem that it cannot search.
        elsewhere: whether Katib's own service takes a setting (name, value) that is not built here.
        teaches: what a warm start can tell it.
    """

    settings: Mapping[str, AnySetting]
    policy: Callable[[SearchProblem], Policy]
    elsewhere: Elsewhere = nowhere
    teaches: Teaches = Teaches.NOTHING
