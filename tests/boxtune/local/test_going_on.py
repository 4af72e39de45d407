"""A run that was cut off, in every way, goes on as if nothing had been."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.experiments import (
    BOXTUNE,
    NOTED,
    boxtune,
    details,
    processes_of,
    run,
    shell_experiment,
    status,
    write,
)


def test_the_counts_may_be_edited_and_nothing_else(tmp_path: Path) -> None:
    assert run(tmp_path, shell_experiment(maxTrialCount=2)).code == 0
    first = details(tmp_path)
    assert run(tmp_path, shell_experiment(maxTrialCount=5, parallelTrialCount=1)).code == 0
    assert len(details(tmp_path)) == 5
    assert {name: details(tmp_path)[name] for name in first} == first
    changed = shell_experiment(maxTrialCount=6)
    changed["spec"]["parameters"][0]["feasibleSpace"]["max"] = "2"
    ended = run(tmp_path, changed)
    assert ended.code == 2
    assert '- "max": "1"; + "max": "2"' in ended.reason
    ended = run(tmp_path, shell_experiment(maxTrialCount=6, algorithm={"algorithmName": "tpe"}))
    assert ended.code == 2
    assert '- "algorithmName": "random"; + "algorithmName": "tpe"' in ended.reason
    assert len(details(tmp_path)) == 5


def test_a_search_that_goes_on_suggests_what_it_would_have(tmp_path: Path) -> None:
    for name, counts in {"whole": [8], "broken": [3, 8]}.items():
        folder = tmp_path / name
        folder.mkdir()
        for count in counts:
            experiment = shell_experiment(
                maxTrialCount=count, parallelTrialCount=1, algorithm={"algorithmName": "tpe"}, maxFailedTrialCount=2
            )
            assert run(folder, experiment).code == 0
    whole, broken = (
        [trial["parameterAssignments"] for trial in details(tmp_path / name).values()] for name in ("whole", "broken")
    )
    assert whole == broken


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("precious")
    ended = run(tmp_path, shell_experiment())
    assert ended.code == 2
    assert "is not empty (thesis.txt)" in ended.reason
    assert (tmp_path / "run" / "thesis.txt").read_text() == "precious"
    assert boxtune("show", tmp_path / "run").code == 2


def test_the_budget_ends_it_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    experiment = shell_experiment("sleep 0.6; echo score=1", parallelTrialCount=1, maxTrialCount=3)
    ended = run(tmp_path, experiment, "--budget", "0.5s")
    assert ended.code == 130
    assert "the budget of 0.5 s is spent" in ended.reason
    assert len(details(tmp_path)) == 1
    assert run(tmp_path, experiment, "--budget", "1h").code == 0
    assert len(details(tmp_path)) == 3


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "experiment.yaml", shell_experiment(maxTrialCount=20))
    command = shlex.join([*BOXTUNE, "run", str(path), "--out", str(tmp_path / "run")])
    full = subprocess.run(
        ["bash", "-c", f"ulimit -f 4; {command}"], capture_output=True, text=True, timeout=120, check=False
    )
    assert full.returncode == 130, full.stderr
    assert "cannot be written" in full.stderr
    assert "make room and run the same command again" in full.stderr
    finished = {name: trial for name, trial in details(tmp_path).items() if trial["condition"] == "Succeeded"}
    assert 0 < len(finished) < 20
    assert boxtune("run", path, "--out", tmp_path / "run").code == 0
    after = details(tmp_path)
    assert len(after) == 20
    assert {name: after[name] for name in finished} == finished


def started(tmp_path: Path) -> int:
    """How often a trial was started so far."""
    journal = tmp_path / "run" / "journal.jsonl"
    return journal.read_text().count('"event":"started"') if journal.exists() else 0


class Runner:
    """`boxtune run` in the background, the leader of a process group."""

    def __init__(self, tmp_path: Path, experiment: dict[str, Any]) -> None:
        self.path = write(tmp_path / "experiment.yaml", experiment)
        self.process = subprocess.Popen(
            [*BOXTUNE, "run", str(self.path), "--out", str(tmp_path / "run")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def kill_alone(self) -> None:
        self.process.kill()
        self.process.wait()

    def kill_group(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.mark.parametrize("kill", [Runner.kill_alone, Runner.kill_group])
def test_killed_at_any_moment_no_trial_is_lost_repeated_or_run_twice(
    tmp_path: Path, kill: Callable[[Runner], None]
) -> None:
    """Each trial would see a second writer of its folder by a lock that it holds while it runs."""
    log = tmp_path / "log"
    script = f"exec 9>>{tmp_path}/lock-$KATIB_TRIAL_NAME; flock -n 9 || echo busy >> {log}; " + NOTED.format(
        log=log, seconds="0.4"
    ).replace("{", "").replace("}", "")
    experiment = shell_experiment(script, maxTrialCount=10)
    for delay in (0.0, 0.02, 0.1, 0.2, 0.3, 0.38, 0.45):
        before = started(tmp_path)
        runner = Runner(tmp_path, experiment)
        while started(tmp_path) == before:
            time.sleep(0.005)
        time.sleep(delay)
        kill(runner)
    ended = boxtune("run", tmp_path / "experiment.yaml", "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    assert not processes_of([str(log)])
    lines = log.read_text().splitlines()
    assert "busy" not in lines
    events = [json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
    finished = [event["trial"] for event in events if event["event"] == "ended"]
    created = [event["trial"] for event in events if event["event"] == "created"]
    assert sorted(finished) == sorted(created) == [f"shell-{number:04d}" for number in range(1, 11)]
    starts = [event["trial"] for event in events if event["event"] == "started"]
    assert len(starts) > 10  # some were cut off, and went on under their names
    for name in finished:
        last_start = max(number for number, line in enumerate(lines) if line == f"start {name}")
        assert f"end {name}" in lines[last_start:]


def test_interrupted_it_asks_its_trials_to_end_and_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = f"trap 'echo asked >> {log}; exit 143' TERM; echo start >> {log}; sleep 300 & wait; echo score=1"
    runner = Runner(tmp_path, shell_experiment(script, maxTrialCount=2))
    deadline = time.monotonic() + 30
    while not (log.exists() and log.read_text().count("start") == 2):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    busy = boxtune("run", runner.path, "--out", tmp_path / "run")
    assert busy.code == 2
    assert f"in use by boxtune run, process {runner.process.pid}" in busy.reason
    assert status(tmp_path)["trialsRunning"] == 2
    runner.process.send_signal(signal.SIGINT)
    _, err = runner.process.communicate(timeout=30)
    assert runner.process.returncode == 130
    assert "stopped by SIGINT; the same command goes on" in err
    assert log.read_text().count("asked") == 2
    assert not processes_of([str(log)])
