"""A search by rungs with real trainings: paused and promoted, killed and gone on with, ended within its steps."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from boxtune.local.applying import apply
from boxtune.local.events import Created
from boxtune.local.journal import read_lines
from boxtune.local.options import RunOptions
from boxtune.local.planning import planned_policy
from boxtune.local.reading import open_run
from boxtune.local.template import Template
from boxtune.runs.run import Run
from boxtune.runs.trial import Condition
from boxtune.search.steps import steps_spent
from tests.conftest import QUICK_START
from tests.experiments import BOXTUNE, boxtune, boxtune_here
from tests.made_once import made_once
from tests.pages import Page
from trial_entry.contract.records import read_rows

STEPS, MOST = 18, 36  # of a whole training, and of all together: two whole ones


def command(digits: Path, out: Path, *more: str) -> list[str]:
    file = QUICK_START.with_suffix(".yaml")
    asked = ("--algorithm=asha", f"--num-steps={STEPS}", f"--max-steps={MOST}", "--no-baseline")
    return ["run", str(file), f"--volume=data={digits}", f"--out={out}", *asked, *more]


def killed_and_gone_on_with(digits: Path, out: Path, *more: str) -> str:
    """Run until the first trial is paused, kill it, and run it to its end; what that said."""
    arguments = command(digits, out, *more)
    process = subprocess.Popen([*BOXTUNE, *arguments], stdout=subprocess.DEVNULL, start_new_session=True)
    journal = out / "journal.jsonl"
    deadline = time.monotonic() + 300
    while not (journal.exists() and '"condition":"Paused"' in journal.read_text()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    ended = boxtune(*arguments)
    assert ended.code == 0, ended.err + ended.out
    return ended.out


@pytest.fixture(scope="module")
def searched(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RUN that was killed as soon as a trial was paused, and went on to its end."""

    def make(folder: Path) -> None:
        (folder / "said").write_text(killed_and_gone_on_with(digits, folder / "run"))

    return made_once(tmp_path_factory, "rungs", make)


def run_of(searched: Path) -> Run:
    return open_run(searched / "run")


def test_one_is_trained_whole_and_the_steps_suffice(searched: Path) -> None:
    run = run_of(searched)
    conditions = {trial.condition for trial in run.trials}
    assert Condition.SUCCEEDED in conditions
    assert conditions <= {Condition.SUCCEEDED, Condition.PAUSED}
    assert STEPS <= steps_spent(run.trials, lambda assignments: STEPS) <= MOST
    assert run.optimal is not None
    assert run.optimal.steps is None


def test_a_promoted_trial_went_on_from_its_checkpoint(searched: Path) -> None:
    promoted = run_of(searched).optimal
    assert promoted is not None
    assert promoted.folder is not None
    assert [attempt.steps for attempt in promoted.attempts if attempt.ended] == [2, 6, None]
    model_dir = promoted.folder / "volumes" / "model"
    assert [row.step for row in read_rows(model_dir)] == [2, 6, STEPS]
    log = (promoted.folder / "metrics.log").read_text()
    begun = re.findall(r"(training from|going on from) step (\d+), to (\d+)", log)
    assert begun[0] == ("training from", "0", "2")
    assert begun[-2:] == [("going on from", "2", "6"), ("going on from", "6", str(STEPS))]


def test_what_is_paused_is_said(searched: Path) -> None:
    said = (searched / "said").read_text()
    assert re.search(r"paused at step \d+ after .*: mAP", said)
    assert re.search(r"goes on to step 6", said)
    run = run_of(searched)
    paused = [trial.name for trial in run.trials if trial.condition is Condition.PAUSED]
    shown = boxtune_here("show", searched / "run").out
    assert shown.count("Paused at step") == len(paused) > 0
    assert f"{len(paused)} paused on the way" in shown
    assert "steps" in boxtune_here("show", searched / "run", "--csv").out.splitlines()[0]


def test_the_report_has_its_rungs(searched: Path, tmp_path: Path) -> None:
    made = boxtune_here("report", searched / "run", "--no-evaluation", "--out", tmp_path / "report.html")
    assert made.code == 0, made.err
    (table,) = [each for each in Page((tmp_path / "report.html").read_text()).tables if each[0][0] == "rung"]
    begun = len([trial for trial in run_of(searched).trials if trial.attempts])
    assert [row[:3] for row in table[1:]] == [
        ["rung 1", "2", str(begun)],
        ["rung 2", "6", table[1][3]],
        ["whole training", str(STEPS), table[2][3]],
    ]


def test_a_larger_budget_goes_on_and_a_paused_trial_may_be_trained_whole(searched: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    subprocess.run(["cp", "-r", str(searched / "run"), str(out)], check=True)
    before = open_run(out)
    name = next(trial.name for trial in before.trials if trial.condition is Condition.PAUSED)
    wrong = boxtune_here("run", out, "--continue", before.optimal.name if before.optimal else "")
    assert wrong.code == 2
    assert "is Succeeded, so nothing is left to train; of those stopped early or paused there are" in wrong.reason
    ended = boxtune("run", out, "--continue", name, "--max-steps", str(MOST))
    assert ended.code == 0, ended.err
    assert f"{name}: its checkpoint is not there any more, so it trains from the first step again" in ended.out
    after = next(trial for trial in open_run(out).trials if trial.name == name)
    assert (after.condition, after.steps) == (Condition.SUCCEEDED, None)


@pytest.mark.e2e
def test_a_warm_start_that_is_killed_suggests_what_it_would_have(searched: Path, digits: Path, tmp_path: Path) -> None:
    """Each suggestion is what a fresh policy makes of what the journal has before it, what was told included."""
    out = tmp_path / "warm"
    said = killed_and_gone_on_with(digits, out, f"--warm-start={searched / 'run'}")
    run = open_run(out)
    (told,) = run.warm_start
    before = run_of(searched)
    assert told.sentence in said
    assert len(told.trials) == told.count == len(before.trials)
    assert told.counted_less == {}  # the same config, length and data
    assert before.optimal is not None
    template = Template(run.experiment, {"data": digits}, STEPS)
    # The base config begins, as there is no baseline; then what was best before, where that is another.
    base, best = template.baseline(), before.optimal.assignments
    first = [base] if best == base else [base, best]
    assert [trial.assignments for trial in run.trials[: len(first)]] == first
    assert steps_spent(run.trials, lambda assignments: STEPS) <= MOST  # the earlier trials' are not charged
    policy = planned_policy(run.experiment, template, RunOptions(most_steps=MOST), run.warm_start)
    state, suggested = None, 0
    for line in read_lines(out / "journal.jsonl"):
        assert line.event is not None
        if isinstance(line.event, Created):
            assert state is not None
            suggestion = policy.suggest(state.in_order())
            assert suggestion is not None
            assert suggestion.assignments == line.event.assignments
            suggested += 1
        state = apply(state, line.event, out)
    assert suggested == len(run.trials) > 1
