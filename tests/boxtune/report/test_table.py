"""The table of trials says at a glance what ran, what was stopped, what failed and why; CSV says all of it."""

from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console

from boxtune.experiment.experiment import parse_experiment
from boxtune.report.table import trials_csv, trials_table
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import Attempt, Condition, Metric, Role, Trial
from tests.experiments import shell_experiment

LONG = "the request is wrong: --set=learning_rate: 7 is outside of what it may be; " + "write a smaller one " * 10


def trial(number: int, condition: Condition, reason: str = "", value: str = "", same_as: str = "") -> Trial:
    """One of a run."""
    return Trial(
        f"shell-{number:04d}",
        Role.SUGGESTED,
        number,
        {"x": f"0.{number}"},
        condition=condition,
        reason=reason,
        attempts=(Attempt("2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z", seconds=9.0, exit_code=0),),
        observation={"score": Metric("score", value, value, value)} if value else {},
        same_as=same_as,
    )


RUN = Run(
    parse_experiment(shell_experiment(), {}),
    (
        trial(1, Condition.SUCCEEDED, value="0.25"),
        trial(2, Condition.SUCCEEDED, value="0.5"),
        trial(3, Condition.EARLY_STOPPED, "0.1 after 2 reports is worse than the median of the others, 0.3", "0.1"),
        trial(4, Condition.FAILED, LONG),
        trial(5, Condition.METRICS_UNAVAILABLE, "score was never printed"),
        trial(6, Condition.RUNNING, same_as="shell-0002"),
        trial(7, Condition.KILLED, "the experiment was over"),
        trial(8, Condition.CREATED),
    ),
    None,
    RunCondition.RUNNING,
    "",
    "",
)


def shown(width: int) -> dict[str, str]:
    """The table's lines on a terminal so wide, by the trial's number."""
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(trials_table(RUN))
    return {line.split()[0]: line.rstrip() for line in console.export_text().splitlines()}


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("0001", "done"),
        ("0002", "done ← best"),
        ("0003", "stopped early: 0.1 after 2 reports is worse than the median of the others, 0.3"),
        ("0004", "failed: the request is wrong: --set=learning_rate: 7 is outside"),
        ("0005", "no metric: score was never printed"),
        ("0006", "running, same config as 0002"),
        ("0007", "cut short: the experiment was over"),
        ("0008", "waiting"),
    ],
)
def test_each_state_is_said_in_a_word_with_its_reason(number: str, says: str) -> None:
    assert says in shown(160)[number]


@pytest.mark.parametrize("width", [50, 80, 160])
def test_a_trial_is_one_line_whatever_its_reason_and_its_numbers_stay(width: int) -> None:
    lines = shown(width)
    assert list(lines) == ["trial", *(f"000{number}" for number in range(1, 9))]
    assert max(map(len, lines.values())) <= width
    assert lines["0004"].endswith("…")
    assert lines["0003"].split()[:3] == ["0003", "0.3", "0.1"]


def test_csv_has_the_reason_whole_and_katib_s_names() -> None:
    rows = {row["trial"]: row for row in csv.DictReader(io.StringIO(trials_csv(RUN)))}
    assert rows["shell-0004"]["reason"] == LONG
    assert [row["condition"] for row in rows.values()] == [str(each.condition) for each in RUN.trials]
    assert rows["shell-0006"]["same_as"] == "shell-0002"
