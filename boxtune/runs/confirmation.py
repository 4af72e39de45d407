"""A run's confirmation: what fresh trainings of the winner and of the base config gave, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from boxtune.runs import difference
from boxtune.runs.difference import Estimate


class Verdict(StrEnum):
    """How the winner compares with the base config."""

    BETTER = "better"
    WORSE = "worse"
    NOT_DISTINGUISHABLE = "not distinguishable"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True)
class Contender:
    """A config that could have won.

    Attributes:
        trial: the first of the search's trials that had it; the baseline's name for the base config's own values.
        found: what it gave in the search.
        fresh: what its first fresh training gave; None where that failed, which puts the config out.
    """

    trial: str
    found: float
    fresh: float | None

    @property
    def score(self) -> float | None:
        """What the winner is chosen by: the search's value counts half, since it was chosen for being good."""
        return None if self.fresh is None else (self.found / 2 + self.fresh) / 1.5


@dataclass(frozen=True)
class Sample:
    """Fresh trainings of one config.

    Attributes:
        trial: what was repeated; the baseline's name for the base config's own values.
        values: of the objective, by the repeat's name.
        failed: how many more gave none.
    """

    trial: str
    values: Mapping[str, float]
    failed: int = 0


@dataclass(frozen=True)
class Images:
    """What the images alone contribute: the same trainings measured on other images of the kind.

    Attributes:
        low, high: of the interval of the difference (winner less base), or of the winner's mean.
        images, groups: how many, and how many are drawn apart from each other.
    """

    low: float
    high: float
    images: int
    groups: int


@dataclass(frozen=True)
class Confirmation:
    """An answer: an estimate from fresh trainings that took no part in the search.

    Attributes:
        metric, maximize: the objective.
        contenders: the best of the search, in its order.
        winner: its fresh trainings; the base config's where that is the best of the search.
        base: the base config's; None where there is nothing to compare with.
        alone: why there is nothing; empty where there is.
        winner_is_base: whether nothing that the search found won over the base config's own values.
        split: that all values are measured on.
        why_split: why it is not the test split; empty where it is.
        data_digest: of the split's records; empty where they were not looked at.
        look: which look at the split this is, from 1.
        images: None where no bootstrap could be drawn.
        trials: how many trials of the search had ended.
        time: RFC 3339.
    """

    metric: str
    maximize: bool
    contenders: tuple[Contender, ...]
    winner: Sample
    base: Sample | None
    alone: str = ""
    winner_is_base: bool = False
    split: str = "validation"
    why_split: str = ""
    data_digest: str = ""
    look: int = 1
    images: Images | None = None
    trials: int = 0
    time: str = ""

    @property
    def estimate(self) -> Estimate:
        """Winner less base, or the winner's mean where there is nothing to compare with."""
        won = tuple(self.winner.values.values())
        if self.base is None:
            return difference.mean_of(won, self.first)
        return difference.difference(won, tuple(self.base.values.values()), self.first)

    @property
    def first(self) -> float:
        """What the winner's first fresh training counts beside the others: it has helped to choose among several."""
        return difference.CHOSEN if sum(each.fresh is not None for each in self.contenders) > 1 else 1.0

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The winner's, and the base config's where it is compared with that."""
        return (self.winner,) if self.base is None else (self.winner, self.base)

    @property
    def is_whole(self) -> bool:
        """Whether there are trainings enough for an estimate."""
        return all(len(each.values) >= difference.LEAST for each in self.samples)

    @property
    def is_sound(self) -> bool:
        """Whether that estimate is one: values of no use have none."""
        try:
            return math.isfinite(self.estimate.low) and math.isfinite(self.estimate.high)
        except (ArithmeticError, ValueError, AttributeError):  # the last is what statistics raises of an infinity
            return False

    @property
    def gain(self) -> Estimate:
        """The estimate turned so that more is better."""
        found = self.estimate
        if self.maximize or self.base is None:
            return found
        return Estimate(-found.value, -found.high, -found.low, found.error, found.degrees, found.deviation)

    @property
    def verdict(self) -> Verdict:
        """What the interval says."""
        if self.base is None:
            return Verdict.NOT_COMPARED
        gain = self.gain
        if gain.low > 0:
            return Verdict.BETTER
        return Verdict.WORSE if gain.high < 0 else Verdict.NOT_DISTINGUISHABLE
