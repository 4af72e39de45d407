"""What answers a request for some of a training's steps, when the training has been elsewhere already."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from trial_entry.contract.records import MetricRow
from trial_entry.errors import ModelDirError
from trial_entry.rungs import answer


def row(step: int, second: int, diverged: float = 0) -> MetricRow:
    return MetricRow(step, f"2026-11-24T10:00:{second:02}.000000Z", {"mAP": step / 1000, "diverged": diverged})


CURVE = [row(100, 1), row(300, 2), row(900, 3)]
DIVERGED = [row(100, 1), row(300, 2), row(300, 3, diverged=1)]
MEASURED_AGAIN = [row(100, 9), row(300, 2), row(900, 3)]  # the checkpoint of step 900 was lost, and 100 reached again


@pytest.mark.parametrize(
    ("rows", "last", "target", "printed", "is_whole"),
    [
        ([], 0, 100, [], False),
        (CURVE[:1], 100, 300, [(100, 1)], False),
        (CURVE, 900, 900, [(100, 1), (300, 2), (900, 3)], True),
        (CURVE, 900, 300, [(100, 1), (300, 2)], True),
        (CURVE, 0, 100, [(100, 1)], True),  # its checkpoint is lost, and nothing more is asked for
        (CURVE[:1], 250, 300, [(100, 1)], False),  # killed on the way
        ([], 300, 300, [], False),  # killed before its evaluation
        (DIVERGED, 300, 900, [(100, 1), (300, 2), (300, 3)], True),
        (DIVERGED, 300, 300, [(100, 1), (300, 2)], True),
        (DIVERGED[2:], 300, 300, [(300, 3)], True),
        ([row(0, 1, diverged=1)], 0, 5, [(0, 1)], True),
        (MEASURED_AGAIN, 100, 900, [(300, 2), (900, 3)], True),
        (MEASURED_AGAIN, 100, 1200, [(300, 2), (900, 3), (100, 9)], False),
    ],
)
def test_no_row_of_a_later_step_is_part_of_the_answer(
    rows: Sequence[MetricRow], last: int, target: int, printed: Sequence[tuple[int, int]], is_whole: bool
) -> None:
    found = answer(rows, last, target, "m")
    assert [(each.step, int(each.timestamp[17:19])) for each in found.rows] == list(printed)
    assert (found.is_whole, found.instead) == (is_whole, "")


@pytest.mark.parametrize(
    ("rows", "last", "target", "says"),
    [
        (CURVE, 900, 500, "m: step 500 was not measured, and the training is at step 900 already; what is reported is"),
        (
            CURVE[:1],
            250,
            200,
            "m: step 200 was not measured, and the training is at step 250 already; what is reported",
        ),
        (DIVERGED, 300, 200, "m: step 200 was not measured, and the training is at step 300 already; what is reported"),
    ],
)
def test_where_the_step_was_not_measured_an_earlier_one_is_reported_and_that_is_said(
    rows: Sequence[MetricRow], last: int, target: int, says: str
) -> None:
    found = answer(rows, last, target, "m")
    assert found.instead.startswith(says)
    assert found.instead.endswith(f"is step {found.rows[-1].step}")
    assert found.is_whole
    assert found.rows[-1].step < target


@pytest.mark.parametrize(
    ("rows", "last", "says"),
    [
        (
            CURVE,
            900,
            "step 50 was not measured, and the training is at step 900 already; ask for 100 steps or more, or",
        ),
        ([], 250, "step 50 was not measured, and the training is at step 250 already; ask for more steps, or"),
    ],
)
def test_where_nothing_was_measured_so_early_it_is_refused(rows: Sequence[MetricRow], last: int, says: str) -> None:
    with pytest.raises(ModelDirError) as wrong:
        answer(rows, last, 50, "m")
    assert str(wrong.value) == f"m: {says} give another place or seed to train to step 50 alone"
