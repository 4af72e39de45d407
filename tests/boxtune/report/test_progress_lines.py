"""A run's progress in a pipe: a line for everything that happens, why something waits among it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from boxtune.report.progress_lines import PlainListener
from boxtune.report.verdict import verdict
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition
from tests.boxtune.report.runs import run_of, trial


def lines(*runs: Run) -> list[str]:
    written = io.StringIO()
    console = Console(file=written, width=80)
    listener = PlainListener(console)
    for run in runs:
        listener.changed(run)
    return written.getvalue().splitlines()


@pytest.mark.parametrize("condition", [Condition.CREATED, Condition.RUNNING])
def test_why_a_trial_waits_is_said_once_and_whole(condition: Condition) -> None:
    reason = f"waits for a volume: {'the claim boxtune-data has no volume; ' * 5}port {{}}"
    waiting = [run_of(trial("a", condition, reason.format(port))) for port in (4711, 4712)]
    said = lines(*waiting, run_of(trial("a", condition, "the image cannot be pulled")))
    assert [line for line in said if "started" not in line] == [
        f"shell-a: {reason.format(4711)}",
        "shell-a: the image cannot be pulled",
    ]


def test_why_no_trial_begins_is_said() -> None:
    why = "Katib's suggestion service (random): the image cannot be pulled"
    run = run_of(waits=why)
    assert lines(run, run) == [f"shell: no trial begins: {why}"]
    assert f"no trial begins: {why}" in verdict(run)


def test_how_trials_ended() -> None:
    run = run_of(
        trial("a", Condition.SUCCEEDED, value="0.3127"),
        trial("b", Condition.EARLY_STOPPED, value="0.1"),
        trial("c", Condition.EARLY_STOPPED, "0.1 after 4 reports is worse than the median", value="0.1"),
        trial("d", Condition.FAILED, "killed"),
        replace(trial("e", Condition.FAILED), reason=""),
    )
    assert [line.partition(";")[0] for line in lines(run)] == [
        "shell-a succeeded after 1 min 30 s: mAP 0.3127",
        "shell-b stopped early after 1 min 30 s: mAP 0.1",
        "shell-c stopped early after 1 min 30 s: mAP 0.1: 0.1 after 4 reports is worse than the median",
        "shell-d Failed after 1 min 30 s: killed",
        "shell-e Failed after 1 min 30 s",
    ]
