"""Trials of other programs on this machine: their environment, what keeps them from starting or being measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.experiments import boxtune, container, details, run, shell_experiment, write

JSON = {"collector": {"kind": "File"}, "source": {"fileSystemPath": {"path": "/out/m.json", "format": "JSON"}}}
FILE = {"collector": {"kind": "File"}, "source": {"fileSystemPath": {"path": "/out/m.log"}}}


def one_trial(tmp_path: Path, script: str, **spec: Any) -> dict[str, Any]:
    """What became of the first trial of `script`."""
    done = run(tmp_path, shell_experiment(script, maxTrialCount=1, maxFailedTrialCount=1, parallelTrialCount=1, **spec))
    assert "Traceback" not in done.err
    return details(tmp_path)["0001"]


@pytest.mark.parametrize(
    ("script", "collector", "says"),
    [
        ("echo '{\"score\": 0.5}' > /out/m.json", JSON, "score is a number in"),
        ('echo \'{"other": "0.5"}\' > /out/m.json', JSON, "score stands in no line in"),
        ("echo score=0.5", FILE, "under the File collector the trial writes that file itself"),
        ("true", FILE, "which the trial must write"),
        ("echo score=", None, "score was printed without a number"),
    ],
)
def test_why_nothing_was_measured(tmp_path: Path, script: str, collector: dict[str, Any] | None, says: str) -> None:
    trial = one_trial(tmp_path, script, **({"metricsCollectorSpec": collector} if collector else {}))
    assert trial["condition"] == "MetricsUnavailable"
    assert says in trial["reason"]


def test_a_line_that_the_filter_does_not_find_is_shown(tmp_path: Path) -> None:
    trial = one_trial(tmp_path, "echo 'score: 58.72%'; echo the end")
    assert trial["condition"] == "MetricsUnavailable"
    assert 'but as "score: 58.72%"; the trial must print NAME=NUMBER, or give metricsCollectorSpec' in trial["reason"]


def test_a_decimal_comma_is_pointed_out(tmp_path: Path) -> None:
    trial = one_trial(tmp_path, "echo score = 0,5872")
    assert trial["condition"] == "Succeeded"
    assert trial["reason"].startswith('"score = 0,5872" was read up to its comma')


@pytest.mark.parametrize("script", ["echo score=1; exit 0", "exec echo score=1"])
def test_a_trial_without_katibs_mark_has_failed(tmp_path: Path, script: str) -> None:
    trial = one_trial(tmp_path, script)
    assert trial["condition"] == "Failed"
    assert "leave exit and exec out of the command" in trial["reason"]


@pytest.mark.parametrize("code", [2, 3])
def test_another_programs_exit_codes_have_no_meaning(tmp_path: Path, code: int) -> None:
    assert one_trial(tmp_path, f"echo no such file; exit {code}")["reason"] == f"exit code {code}: no such file"


def test_the_environment_of_a_pod(tmp_path: Path) -> None:
    experiment = shell_experiment("echo $P_LR $TRIAL $SEARCH $SPACE $TEAM $P_9A > seen; echo score=1", maxTrialCount=1)
    experiment["spec"] |= {"parallelTrialCount": 1, "maxFailedTrialCount": 1}
    fields = {
        "TRIAL": "metadata.labels['katib.kubeflow.org/trial']",
        "SEARCH": "metadata.labels['katib.kubeflow.org/experiment']",
        "SPACE": "metadata.namespace",
        "TEAM": "metadata.labels['team']",
    }
    held = container(experiment)
    held["env"] += [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]
    held["envFrom"] = [
        {"prefix": "P_", "configMapRef": {"name": "s"}},
        {"configMapRef": {"name": "s", "optional": True}},
    ]
    template = experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]
    template["metadata"] = {"labels": {"team": "drones"}}
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "s"},
        "data": {"LR": "0.05", "9a": "no name"},
    }
    path = write(tmp_path / "experiment.yaml", settings, experiment)
    done = boxtune("run", path, "--out", "run", folder=tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "seen").read_text().split() == ["0.05", "shell-0001", "shell", "default", "drones"]


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        ({"workingDir": "/no/such/folder"}, "workingDir: there is no folder /no/such/folder on this machine"),
        ({"envFrom": [{"configMapRef": {"name": "elsewhere"}}]}, "the ConfigMap elsewhere is not in the file"),
        ({"envFrom": [{"secretRef": {"name": "key"}}]}, "the variables of the Secret key are not here"),
        ({"env": [{"name": "A=B", "value": "1"}, {"name": "X", "value": "${trialParameters.x}"}]}, '"A=B" cannot be'),
        ({"env": [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}, "set K in this shell"),
        ({"args": ["x" * 140_000]}, "argument list too long"),
    ],
)
def test_what_never_starts_is_said_before_a_trial_is_made(tmp_path: Path, patch: dict[str, Any], says: str) -> None:
    experiment = shell_experiment()
    container(experiment).update(patch)
    done = run(tmp_path, experiment)
    assert done.code == 2
    assert says in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "run" / "journal.jsonl").exists()


def test_a_script_in_a_config_map_has_its_mode(tmp_path: Path) -> None:
    experiment = shell_experiment(maxTrialCount=1, maxFailedTrialCount=1, parallelTrialCount=1)
    container(experiment)["command"] = ["/code/run.sh", "${trialParameters.x}"]
    container(experiment)["volumeMounts"] = [{"name": "code", "mountPath": "/code"}]
    source = {"name": "code", "defaultMode": 0o500, "items": [{"key": "run", "path": "run.sh"}]}
    pod = experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "code", "configMap": source}]
    script = {"run": "#!/bin/sh\necho score=$1\n"}
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}, "data": script}
    (tmp_path / "both.yaml").write_text(yaml.safe_dump_all([held, experiment]))
    done = boxtune("run", tmp_path / "both.yaml", "--out", tmp_path / "run")
    assert done.code == 0, done.err
    (mounted,) = (tmp_path / "run").glob("trials/*/volumes/code/run.sh")
    assert mounted.stat().st_mode & 0o777 == 0o500


def test_a_pod_s_deadline_ends_its_trial(tmp_path: Path) -> None:
    experiment = shell_experiment("sleep 30; echo score=1", maxTrialCount=1, maxFailedTrialCount=1)
    experiment["spec"]["parallelTrialCount"] = 1
    experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["activeDeadlineSeconds"] = 1
    run(tmp_path, experiment)
    assert details(tmp_path)["0001"]["reason"] == "ran longer than its activeDeadlineSeconds (1)"


@pytest.mark.parametrize(
    "script", ["printf '%05000d\\n' 7 >&2; exit 1", "printf score=9; printf '%05000d\\n' 7 | tr 0 9; echo"]
)
def test_what_a_trial_says_at_length_is_shortened(tmp_path: Path, script: str) -> None:
    trial = one_trial(tmp_path, script)
    assert "…" in trial["reason"]
    assert len(trial["reason"]) < 1000
