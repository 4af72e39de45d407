"""What an alias is, and what it is given to resolve against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from trial_entry.pipeline_config.field_paths import find_field
from trial_entry.pipeline_config.fragments import BUILT_IN, Fragments
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

CountExamples = Callable[[TrainEvalPipelineConfig], int]


def _no_examples(config: TrainEvalPipelineConfig) -> int:
    raise AssertionError("nobody said how training examples are counted")


@dataclass(frozen=True)
class Surroundings:
    """What an assignment may need beyond the config.

    Attributes:
        count_examples: the number of training examples of a config; asked only where `epochs` is assigned.
        fragments: the blocks that can be swapped in.
        checkpoints: checkpoint prefix by the name of a fragment; what a swapped-in one starts from.
        checkpoint_assigned: whether `fine_tune_checkpoint` is assigned too, which settles what a swap starts from.
    """

    count_examples: CountExamples = _no_examples
    fragments: Fragments = BUILT_IN
    checkpoints: Mapping[str, str] = field(default_factory=dict)
    checkpoint_assigned: bool = False


@dataclass(frozen=True)
class Feasible:
    """What is sane to try, in the terms of Katib's feasibleSpace.

    Attributes:
        parameter_type: Katib's parameterType.
        low, high: ends of a double's or int's range, as text.
        log: whether the scale is logarithmic.
        values: of a discrete or categorical one.
    """

    parameter_type: Literal["double", "int", "discrete", "categorical"]
    low: str = ""
    high: str = ""
    log: bool = False
    values: tuple[str, ...] = ()

    @property
    def scale(self) -> str:
        """How neighbouring values lie: linear, log, or choices."""
        return "choices" if self.values else "log" if self.log else "linear"


def between(low: float, high: float, *, log: bool = False) -> Feasible:
    """A double from `low` to `high`."""
    return Feasible("double", f"{low:.6g}", f"{high:.6g}", log)


def whole(low: int, high: int) -> Feasible:
    """An int from `low` to `high`."""
    return Feasible("int", str(low), str(high))


def numbers(*values: float) -> Feasible:
    """One of a few numbers."""
    return Feasible("discrete", values=tuple(f"{value:.6g}" for value in values))


def choices(*values: str) -> Feasible:
    """One of a few texts."""
    return Feasible("categorical", values=values)


@dataclass(frozen=True)
class Alias:
    """One short name.

    Attributes:
        name: as it stands before the `=` of an assignment.
        meaning: one line for people.
        field: the path of the field that it sets in a given config; raises AssignmentError where it has none,
            saying what it has instead.
        assign: sets it, coupled fields included.
        current: the value that the config has now, as an assignment would write it, or None if it has none.
        feasible: what is sane to try in a given config, or None where only the user can know.
    """

    name: str
    meaning: str
    field: Callable[[TrainEvalPipelineConfig], str]
    assign: Callable[[TrainEvalPipelineConfig, str, Surroundings], None]
    current: Callable[[TrainEvalPipelineConfig], str | None]
    feasible: Callable[[TrainEvalPipelineConfig], Feasible | None]


def plain(
    name: str,
    meaning: str,
    path: Callable[[TrainEvalPipelineConfig], str],
    feasible: Callable[[TrainEvalPipelineConfig], Feasible | None],
) -> Alias:
    """An alias of exactly one field, nothing coupled."""

    def assign(config: TrainEvalPipelineConfig, value: str, surroundings: Surroundings) -> None:
        find_field(config, path(config)).set(value)

    return Alias(name, meaning, path, assign, lambda config: find_field(config, path(config)).text(), feasible)
