"""A trial that is asked again, for more steps or for fewer: what of its measurements answers, and whether to train.

Each row of metrics.json is true of its step alone. So a request for N steps is answered by the row of step N and those
before it, however far the training has gone since; what belongs to later steps is not part of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trial_entry.contract.metrics import DIVERGED
from trial_entry.contract.records import MetricRow
from trial_entry.errors import ModelDirError


@dataclass(frozen=True)
class Answer:
    """What there is for a request before anything is trained for it.

    Attributes:
        rows: to print, in the order in which they were measured.
        is_whole: whether nothing is left to train.
        instead: what has to be said of an answer that is not of the step that was asked for; else empty.
    """

    rows: tuple[MetricRow, ...]
    is_whole: bool
    instead: str = ""


def answer(rows: Sequence[MetricRow], last: int, target: int, place: str) -> Answer:
    """What `rows` say of the training's first `target` steps.

    Args:
        rows: of metrics.json.
        last: step of the last checkpoint.
        target: the step that was asked for.
        place: of MODEL_DIR, for messages.

    Raises:
        ModelDirError: the training has gone beyond `target`, and measured nothing up to there.
    """
    finite = [row for row in rows if not row.metrics.get(DIVERGED)]
    asked = next((row for row in reversed(finite) if row.step == target), None)
    if asked is not None:
        until = [row for row in finite if row.step <= target and row.timestamp <= asked.timestamp]
        return Answer(_in_time(until), True)
    reached = max([last, *(row.step for row in finite)])
    if target < reached:
        earlier = [row for row in finite if row.step < target]
        what = f"{place}: step {target} was not measured, and the training is at step {reached} already"
        if not earlier:
            later = next((f"; ask for {row.step} steps or more" for row in finite), "; ask for more steps")
            raise ModelDirError(f"{what}{later}, or give another place or seed to train to step {target} alone")
        return Answer(_in_time(earlier), True, f"{what}; what is reported is step {earlier[-1].step}")
    return Answer(_in_time(rows), bool(rows) and bool(rows[-1].metrics.get(DIVERGED)))


def _in_time(rows: Sequence[MetricRow]) -> tuple[MetricRow, ...]:
    """By their timestamps: a step that was measured again stands before later ones that were not yet."""
    return tuple(sorted(rows, key=lambda row: row.timestamp))
