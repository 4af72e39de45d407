"""What a search was told before it began: trials of earlier runs, which are none of its own, and where they came from.

They are kept with the run that is told of them: the earlier one's folder may be gone when it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from boxtune.experiment.experiment import Objective
from boxtune.experiment.space import Assignments
from boxtune.runs.trial import Metric


@dataclass(frozen=True)
class PriorResult:
    """What an earlier trial measured at one point of its training.

    Attributes:
        share: of its whole training, above 0; 1 at the end.
        observation: the metrics that rank it.
    """

    share: float
    observation: tuple[Metric, ...]

    def value(self, objective: Objective) -> float | None:
        """The objective's number; None where it measured none."""
        strategy = objective.strategies[objective.metric]
        found = (each.value(strategy) for each in self.observation if each.name == objective.metric)
        return next(found, None)


@dataclass(frozen=True)
class PriorTrial:
    """An earlier trial, as the run that is told of it would have made it.

    Attributes:
        name: in its own run.
        assignments: a value for every parameter of the run that is told.
        results: what it measured, by increasing share; not empty.
        counts_less: why its numbers are no numbers of this run, such as `other data`; empty where this run would train
            the very same config on the same data.
    """

    name: str
    assignments: Assignments
    results: tuple[PriorResult, ...]
    counts_less: str = ""

    @property
    def end(self) -> PriorResult | None:
        """What its whole training measured; None where it was cut short."""
        return self.results[-1] if self.results[-1].share >= 1 else None


@dataclass(frozen=True)
class PriorRun:
    """One earlier run, and what of it is used.

    Attributes:
        source: its folder, as an absolute path, whether it is still there or not.
        count: of its trials, the baseline among them.
        trials: those that are used, in the order of their creation.
        left_out: how many of the others there were, by the reason.
        was_running: whether it went on when it was looked at.
    """

    source: str
    count: int
    trials: tuple[PriorTrial, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    was_running: bool = False

    @property
    def counted_less(self) -> Mapping[str, int]:
        """How many of the trials count less than the run's own, by the reason."""
        reasons = [each.counts_less for each in self.trials if each.counts_less]
        return {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}

    @property
    def sentence(self) -> str:
        """What was used, and why no more, in one line."""
        said = f"warm start: {len(self.trials)} of {self.count} trials of {self.source}"
        said += " (which was still running)" if self.was_running else ""
        less = [f"{many} count less: {reason}" for reason, many in self.counted_less.items()]
        out = [f"{many} left out: {reason}" for reason, many in self.left_out.items()]
        return "; ".join([said, *less, *out])
