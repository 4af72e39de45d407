"""Whole local runs, with real processes, killed at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.experiments import (
    BOXTUNE,
    NOTED,
    container,
    details,
    processes_of,
    run,
    shell_experiment,
    status,
)

ONE = {"maxTrialCount": 1, "parallelTrialCount": 1, "maxFailedTrialCount": 1}
SECRET = {"name": "s", "key": "k"}


def test_a_run_ends_at_its_count_and_shows_the_best(tmp_path: Path) -> None:
    ended = run(tmp_path, shell_experiment(maxTrialCount=6))
    assert ended.code == 0, ended.err
    found = status(tmp_path)
    assert (found["trials"], found["trialsSucceeded"]) == (6, 6)
    assert found["conditions"][0]["type"] == "Succeeded"
    assert "max trial count" in found["conditions"][0]["message"]
    values = [float(trial["parameterAssignments"][0]["value"]) for trial in found["trialDetails"]]
    best = found["currentOptimalTrial"]
    assert float(best["parameterAssignments"][0]["value"]) == max(values)
    assert float(best["observation"]["metrics"][0]["max"]) == max(values)
    assert f"best: {best['bestTrialName']}" in ended.out
    assert "6 of 6 done" in ended.out
    again = run(tmp_path, shell_experiment(maxTrialCount=6))
    assert again.code == 0
    assert "started" not in again.out


def test_the_goal_ends_it_and_ends_what_runs(tmp_path: Path) -> None:
    script = "case $KATIB_TRIAL_NAME in *2) echo score=5;; *) sleep 600; esac"  # `boxtune` waits for half as long
    experiment = shell_experiment(script, objective={"type": "maximize", "objectiveMetricName": "score", "goal": 5})
    assert run(tmp_path, experiment).code == 0
    found = status(tmp_path)
    assert "goal has reached" in found["conditions"][0]["message"]
    assert "shell-0001" in found["killedTrialList"]


def test_parallel_replaces_the_experiment_s_count(tmp_path: Path) -> None:
    """Two at a time by the Experiment, four by the option: they wait for each other."""
    meet = "echo x >> $PWD/here; while [ $(wc -l < $PWD/here) -lt 4 ]; do sleep 0.05; done; echo score=1"
    assert run(tmp_path, shell_experiment(meet), "--parallel", "4").code == 0
    assert status(tmp_path)["trialsSucceeded"] == 4


def test_auto_is_one_a_core(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = NOTED.format(log=log, seconds=0.5)
    experiment = shell_experiment(script, parallelTrialCount=4, maxTrialCount=5)
    ended = run(tmp_path, experiment, "--parallel", "auto")
    assert ended.code == 0, ended.err
    running, most = 0, 0
    for line in log.read_text().splitlines():
        running += 1 if line.startswith("start") else -1
        most = max(most, running)
    assert most == min(5, len(os.sched_getaffinity(0)))


def test_minimizing_takes_the_least(tmp_path: Path) -> None:
    experiment = shell_experiment(objective={"type": "minimize", "objectiveMetricName": "score"})
    assert run(tmp_path, experiment).code == 0
    values = {name: float(trial["parameterAssignments"][0]["value"]) for name, trial in details(tmp_path).items()}
    assert (
        status(tmp_path)["currentOptimalTrial"]["bestTrialName"]
        == f"shell-{min(values, key=lambda name: values[name])}"
    )


@pytest.mark.parametrize(
    ("script", "condition", "says"),
    [
        ("echo trouble here; exit 7", "Failed", "exit code 7"),
        ("kill -9 $$$$", "Failed", "if nobody did it, memory ran out"),
        ("echo nothing", "MetricsUnavailable", "score was never printed"),
        ("echo score=nan", "MetricsUnavailable", "score was printed without a number"),
        ("echo no request >&2; exit 2", "Failed", "exit code 2: no request"),
    ],
)
def test_too_many_failures_fail_it_with_the_reason(tmp_path: Path, script: str, condition: str, says: str) -> None:
    ended = run(tmp_path, shell_experiment(script, parallelTrialCount=1))
    assert ended.code == 3
    assert "2 trials failed" in ended.reason
    assert says in ended.reason
    found = details(tmp_path)
    assert len(found) == 2
    assert {trial["condition"] for trial in found.values()} == {condition}


def test_failed_trials_below_the_limit_are_passed_over(tmp_path: Path) -> None:
    script = "case $KATIB_TRIAL_NAME in *1) exit 1;; *) echo score=1; esac"
    assert run(tmp_path, shell_experiment(script)).code == 0
    found = status(tmp_path)
    assert (found["trialsFailed"], found["trialsSucceeded"]) == (1, 3)


def test_a_trial_that_hangs_after_its_last_line_is_ended(tmp_path: Path) -> None:
    marker = "987.654"
    experiment = shell_experiment(
        f"echo score=1; sleep {marker}", maxTrialCount=1, parallelTrialCount=1, maxFailedTrialCount=1
    )
    ended = run(tmp_path, experiment, "--stall-timeout", "2s")
    assert ended.code == 3
    assert "hung: neither output nor processor time for 2 s" in ended.reason
    assert not processes_of([f"sleep\0{marker}"])


def test_a_working_trial_is_not_taken_for_hung(tmp_path: Path) -> None:
    busy = "python3 -c 'import time; end=time.time()+4\nwhile time.time()<end: pass'; echo score=1"
    experiment = shell_experiment(busy, **ONE)
    assert run(tmp_path, experiment, "--stall-timeout", "2s").code == 0


def test_the_job_s_deadline_is_kept(tmp_path: Path) -> None:
    experiment = shell_experiment("sleep 60", **ONE)
    experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["activeDeadlineSeconds"] = 1
    ended = run(tmp_path, experiment)
    assert ended.code == 3
    assert "activeDeadlineSeconds (1)" in ended.reason


def test_what_a_trial_leaves_running_ends_with_it(tmp_path: Path) -> None:
    marker = "876.543"
    assert run(tmp_path, shell_experiment(f"sleep {marker} & echo score=1", maxTrialCount=2)).code == 0
    assert not processes_of([f"sleep\0{marker}"])


def test_a_claim_needs_a_folder(tmp_path: Path) -> None:
    experiment = shell_experiment("cat /data/score")
    pod = experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "drones"}}]
    container(experiment)["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    ended = run(tmp_path, experiment)
    assert ended.code == 2
    assert "volume data is the claim drones" in ended.reason
    assert "--volume data=DIR" in ended.reason
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "score").write_text("score=${trialParameters.x}\nscore=3\n")
    assert run(tmp_path, experiment, "--volume", "data=here").code == 0
    assert status(tmp_path)["currentOptimalTrial"]["observation"]["metrics"][0]["latest"] == "3"


def test_environment_and_meta_references_reach_the_trial(tmp_path: Path) -> None:
    experiment = shell_experiment("echo $(GREETING) $NAME $TWICE; echo score=1", maxTrialCount=1, parallelTrialCount=1,
                                  maxFailedTrialCount=1)  # fmt: skip
    template = experiment["spec"]["trialTemplate"]
    template["trialParameters"].append({"name": "name", "reference": "${trialSpec.Name}"})
    container(experiment)["env"] = [
        {"name": "GREETING", "value": "hello-${trialParameters.x}"},
        {"name": "NAME", "value": "${trialParameters.name}"},
        {"name": "TWICE", "value": "$(NAME)-$(NAME)"},
    ]
    assert run(tmp_path, experiment).code == 0
    log = (tmp_path / "run" / "trials" / "shell-0001" / "metrics.log").read_text()
    assert log.startswith("hello-0.")
    assert log.splitlines()[0].endswith("shell-0001 shell-0001-shell-0001")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--keep", "some"], "must be best:N"),
        (["--budget", "soon"], "write a time such as"),
        (["--volume", "data"], "write NAME=DIR"),
        (["--parallel", "many"], "must be a number from 1, or auto"),
        (["--parallel", "0"], "must be a number from 1, or auto"),
        (["--num-steps", "5"], "only trials of python -m trial_entry can be shortened"),
        (["--num-steps", "0"], "greater than or equal to 1"),
        (["--colour"], "No such option"),
    ],
)
def test_wrong_arguments(tmp_path: Path, arguments: list[str], says: str) -> None:
    ended = run(tmp_path, shell_experiment(), *arguments)
    assert ended.code == 2
    assert says in ended.reason
    assert len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda e: e["spec"]["algorithm"].update(algorithmName="pbt"), "not built for local runs"),
        (lambda e: e["spec"]["algorithm"].update(algorithmName="grid"), "grid needs a feasibleSpace.step"),
        (lambda e: e["spec"]["trialTemplate"].update(primaryContainerName="other"), "the pod has main"),
        (lambda e: container(e).pop("command"), "command: must be given"),
        (
            lambda e: e["spec"].update(metricsCollectorSpec={"collector": {"kind": "TensorFlowEvent"}}),
            "kind: TensorFlowEvent is not built for local runs",
        ),
        (
            lambda e: container(e).update(
                env=[{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
            ),
            "env KEY: its value comes from a secretKeyRef",
        ),
    ],
)
def test_what_this_machine_cannot_run_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    experiment = shell_experiment("echo ${trialParameters.x}; echo score=1")
    if "command: must" in says:
        container(experiment)["args"] = ["${trialParameters.x}"]
    change(experiment)
    ended = run(tmp_path, experiment)
    assert ended.code == 2
    assert says in ended.reason


def test_a_file_collector_reads_its_file(tmp_path: Path) -> None:
    experiment = shell_experiment(
        "echo score=${trialParameters.x} > /var/log/katib/mine.log",
        metricsCollectorSpec={
            "collector": {"kind": "File"},
            "source": {"fileSystemPath": {"kind": "File", "path": "/var/log/katib/mine.log"}},
        },
    )
    assert run(tmp_path, experiment).code == 0
    assert status(tmp_path)["trialsSucceeded"] == 4


def test_a_command_that_does_not_exist_fails_its_trials(tmp_path: Path) -> None:
    experiment = shell_experiment()
    container(experiment)["command"] = ["no-such-program", "${trialParameters.x}"]
    ended = run(tmp_path, experiment)
    assert ended.code == 3
    assert "not found" in ended.reason


def test_help_teaches(tmp_path: Path) -> None:
    shown = subprocess.run([*BOXTUNE, "run", "--help"], capture_output=True, text=True, timeout=60, check=True)
    for word in ("--volume", "--out", "--keep", "--budget", "journal.jsonl", "Example"):
        assert word in shown.stdout
    assert sys.executable
