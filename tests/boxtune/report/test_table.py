"""The table of trials on terminals of every width: what a trial has to say is never what is left out."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from boxtune.report.table import shown_trials
from boxtune.runs.trial import Condition
from tests.boxtune.report.runs import METRICS, PARAMETERS, run_of, trial

WAITS = "waits for a node: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 0/3 are available"
RUN = run_of(
    trial("aaaaaaaa", Condition.SUCCEEDED, value="0.3127"),
    trial("bbbbbbbb", Condition.FAILED, "out of memory: it needed more than its limit of 4Gi; raise resources.limits"),
    trial("cccccccc", Condition.RUNNING, WAITS),
    trial("dddddddd", Condition.RUNNING, WAITS),
)


def printed(width: int) -> tuple[list[str], tuple[str, ...]]:
    console = Console(file=io.StringIO(), width=width)
    shown = shown_trials(RUN, console)
    console.print(shown.table)
    return console.file.getvalue().splitlines(), shown.notes  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [60, 80, 90, 160])
def test_state_time_and_objective_are_there_whole(width: int) -> None:
    lines, notes = printed(width)
    assert len(lines) == 5
    assert all(len(line.rstrip()) <= width for line in lines)
    for line, state in zip(lines[1:], ("Succeeded ← best", "Failed", "Running", "Running"), strict=True):
        assert line.rstrip().endswith(state)
    assert "0.3127" in lines[1]
    assert "1 min 30 s" in lines[1]
    assert notes[-1] == f"cccccccc, dddddddd: {WAITS}"
    assert notes[-2].startswith("bbbbbbbb: out of memory")


def test_what_has_no_room_is_named() -> None:
    assert printed(200)[1][0].startswith("bbbbbbbb")
    for width in (60, 80, 90):
        lines, notes = printed(width)
        hidden = [name for name in (*PARAMETERS, *METRICS) if name not in lines[0].split()]
        assert hidden
        assert METRICS[0] not in hidden
        assert set(notes[0].partition(":")[0].removeprefix("no room for ").split(", ")) == set(hidden)
