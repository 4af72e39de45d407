"""The config's room, findings about a schedule that assignments stretch: told in the numbers that the config has.

`epochs` and `num_steps` scale every length of the schedule, `learning_rate` every rate. A fault that the config had
before is told in its own numbers, which somebody can find there and mend; one that comes of the scaling says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from trial_entry.contract.arguments import Assignment
from trial_entry.finding import Finding
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.schedules import OPTIMIZER

_RATE = "learning_rate"
_LENGTH = ("num_steps", "epochs")
SCALING = (_RATE, *_LENGTH)


def told(
    found: Iterable[Finding], own: Sequence[Finding], scaling: Sequence[Assignment], config: TrainEvalPipelineConfig
) -> Iterator[Finding]:
    """What was found in `config`, of its schedule in the numbers of the config before it was scaled.

    Args:
        own: what is found of that schedule without `scaling`.
        scaling: the assignments that scaled it.
    """
    before = {(each.severity, each.feature): each for each in own}
    for each in found:
        by = next((one for one in scaling if (one.name in _LENGTH) == _is_length(each.feature)), None)
        same = before.get((each.severity, each.feature))
        if by is None or not each.feature.startswith(f"{OPTIMIZER}.") or same == each:
            yield each
        elif same is not None:
            yield replace(same, what=f"{same.what} (so in the config; {by.name} scales them)")
        else:
            yield replace(each, what=f"at {by}{_steps(config, by)}: {each.what}")


def _is_length(feature: str) -> bool:
    """Whether a field of a schedule is a number of steps."""
    return "step" in feature.rpartition(".")[2]


def _steps(config: TrainEvalPipelineConfig, by: Assignment) -> str:
    return f" ({config.train_config.num_steps:,} steps)" if by.name in _LENGTH else ""
