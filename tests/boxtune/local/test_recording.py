"""A run from elsewhere as a folder: recorded, then opened, it is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from boxtune.errors import RunFolderError
from boxtune.experiment.experiment import parse_experiment
from boxtune.local.reading import open_run
from boxtune.local.recording import record_run
from boxtune.local.store import RunStore
from boxtune.report.table import trials_table
from boxtune.runs.confirmation import Confirmation, Contender, Sample
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.status import experiment_with_status
from boxtune.runs.trial import Attempt, Condition, Metric, Role, Trial
from tests.experiments import shell_experiment


def at(second: int) -> str:
    return f"2026-11-25T10:00:{second:02}Z"


def trial(number: int, began: int, ended: int | None, condition: Condition, reason: str = "") -> Trial:
    attempt = Attempt(at(began), at(ended), None, ended - began, None) if ended is not None else Attempt(at(began))
    found = {"score": Metric("score", "0.1", f"0.{number}", f"0.{number}")} if condition.measured else {}
    return Trial(
        f"t-{number}", Role.SUGGESTED, number, {"x": f"0.{number}"}, condition=condition, reason=reason,
        attempts=(attempt,), observation=found,
    )  # fmt: skip


TRIALS = (
    trial(0, 9, 20, Condition.SUCCEEDED),  # made first, and started last
    replace(trial(1, 5, 12, Condition.FAILED, "out of memory: no"), out_of_memory=True),
    trial(2, 5, 30, Condition.EARLY_STOPPED),
    trial(3, 30, 31, Condition.METRICS_UNAVAILABLE, "Metrics are not available"),
    trial(4, 31, 40, Condition.KILLED),
)
BASELINE = Trial(
    "t-baseline", Role.BASELINE, None, {}, condition=Condition.SUCCEEDED,
    attempts=(Attempt(at(2), at(50), None, 48.0, 0),), observation={"score": Metric("score", "0.2", "0.2", "0.2")},
)  # fmt: skip


def run_of(*trials: Trial, baseline: Trial | None = BASELINE) -> Run:
    experiment = parse_experiment(shell_experiment(), {"config": {"pipeline.config": "model {}\n"}})
    return Run(experiment, trials, baseline, RunCondition.SUCCEEDED, "max trial count", at(1), at(55))


def plain(run: Run) -> Run:
    """Without what a folder adds: where it lies, that it is a record, and the places of its events."""

    def bare(each: Trial) -> Trial:
        attempts = tuple(replace(attempt, observation={}) for attempt in each.attempts)  # which the trial has
        return replace(each, attempts=attempts, folder=None, created=0, completed=None)

    baseline = bare(run.baseline) if run.baseline is not None else None
    trials, repeats = (tuple(map(bare, each)) for each in (run.trials, run.repeats))
    return replace(run, trials=trials, baseline=baseline, repeats=repeats, folder=None, recorded=False)


def test_repeats_are_recorded_with_what_they_gave(tmp_path: Path) -> None:
    repeats = tuple(
        replace(trial(number, 50, 54, Condition.SUCCEEDED), name=f"t-2-repeat-{number}", role=Role.REPEAT, number=None,
                seed=number, repeats="t-2", assignments={"x": "0.2"})
        for number in (1, 2)
    )  # fmt: skip
    won = Sample("t-2", {each.name: 0.5 for each in repeats})
    found = Confirmation("score", True, (Contender("t-2", 0.2, 0.5),), won, None, "nothing to compare with")
    run = replace(run_of(*TRIALS), repeats=repeats, confirmation=found)
    record_run(run, tmp_path / "run")
    opened = open_run(tmp_path / "run")
    assert plain(opened) == run
    assert opened.chosen == opened.optimal
    assert len(experiment_with_status(opened)["status"]["repeats"]) == 2


@pytest.mark.parametrize("baseline", [None, BASELINE])
def test_what_is_recorded_is_opened(tmp_path: Path, baseline: Trial | None) -> None:
    run = run_of(*TRIALS, baseline=baseline)
    record_run(run, tmp_path / "run")
    opened = open_run(tmp_path / "run")
    assert opened.recorded
    assert plain(opened) == run
    assert opened.optimal is not None
    assert opened.optimal.name == "t-2"
    assert trials_table(opened).row_count == trials_table(run).row_count
    ours, theirs = experiment_with_status(plain(opened)), experiment_with_status(run)
    assert ours == theirs


def test_one_that_goes_on(tmp_path: Path) -> None:
    running = replace(
        run_of(TRIALS[0], trial(1, 10, None, Condition.RUNNING)), ended="", condition=RunCondition.RUNNING
    )
    record_run(running, tmp_path)
    assert [each.condition for each in open_run(tmp_path).trials] == [Condition.SUCCEEDED, Condition.CREATED]


def test_the_same_again_replaces_it_and_nothing_else(tmp_path: Path) -> None:
    record_run(run_of(*TRIALS[:2]), tmp_path)
    record_run(run_of(*TRIALS), tmp_path)
    assert len(open_run(tmp_path).trials) == 5
    with pytest.raises(RunFolderError, match="holds another run; give another folder"):
        record_run(replace(run_of(*TRIALS), started=at(0)), tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "photo.jpg").touch()
    with pytest.raises(RunFolderError, match=r"is not empty \(photo.jpg\) and holds no run"):
        record_run(run_of(*TRIALS), other)
    with pytest.raises(RunFolderError, match="cannot be written: Not a directory"):
        record_run(run_of(*TRIALS), other / "photo.jpg" / "run")


def test_a_run_goes_on_with_the_options_that_it_was_begun_with(tmp_path: Path) -> None:
    experiment = run_of(*TRIALS).experiment
    RunStore(tmp_path, experiment, {"num_steps": 4, "baseline": False}).close()
    with pytest.raises(RunFolderError, match="was begun with --num-steps 4 --no-baseline; give the same"):
        RunStore(tmp_path, experiment, {"num_steps": 5, "baseline": True})


def test_boxtune_run_does_not_go_on_with_it(tmp_path: Path) -> None:
    run = run_of(*TRIALS)
    record_run(run, tmp_path)
    with pytest.raises(RunFolderError, match=r"holds a run of another Experiment .*recorded"):
        RunStore(tmp_path, run.experiment, {"num_steps": None, "baseline": True})
