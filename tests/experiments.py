"""Experiments whose trials are small programs, for tests of everything around a trial."""

from __future__ import annotations

import copy
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import yaml

from boxtune.cli.main import run_command
from tests.trials import Ended

BOXTUNE = (sys.executable, "-c", "from boxtune.cli.main import main; main()")
# A trial's script that notes its beginning and its end.
NOTED = 'echo "start $KATIB_TRIAL_NAME" >> {log}; sleep {seconds}; echo "end $KATIB_TRIAL_NAME" >> {log}; echo score=1'

SHELL = yaml.safe_load(r"""
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: shell}
spec:
  objective: {type: maximize, objectiveMetricName: score}
  algorithm: {algorithmName: random}
  parallelTrialCount: 2
  maxTrialCount: 4
  maxFailedTrialCount: 2
  parameters:
    - {name: x, parameterType: double, feasibleSpace: {min: "0", max: "1"}}
  trialTemplate:
    primaryContainerName: main
    trialParameters: [{name: x, reference: x}]
    trialSpec:
      apiVersion: batch/v1
      kind: Job
      spec:
        template:
          spec:
            restartPolicy: Never
            containers:
              - name: main
                image: none
                command: [sh, -c, "{ echo score=${trialParameters.x}; }"]
""")


def shell_experiment(script: str | None = None, **spec: Any) -> dict[str, Any]:
    """SHELL, its trials running `script` (one shell line), with fields of `spec` replaced."""
    experiment: dict[str, Any] = copy.deepcopy(SHELL)
    experiment["spec"].update(spec)
    if script is not None:
        container(experiment)["command"] = ["sh", "-c", f"{{ {script}; }}"]
        container(experiment)["env"] = [{"name": "X", "value": "${trialParameters.x}"}]
    return experiment


def container(experiment: Mapping[str, Any]) -> dict[str, Any]:
    """The only container of the trial's pod."""
    found: dict[str, Any] = experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"][
        0
    ]
    return found


class _Dumper(yaml.SafeDumper):
    """Quotes what Go's YAML would take for a number or a truth value, such as 1e-05 or y."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if (text[:1] in "-+.0123456789" or text in "yYnN") and "\n" not in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def write(path: Path, *documents: Mapping[str, Any]) -> Path:
    """Write YAML documents."""
    path.write_text(yaml.dump_all(list(documents), Dumper=_Dumper, sort_keys=False))
    return path


def boxtune(*arguments: str | Path, folder: Path | None = None, **environment: str) -> Ended:
    """`boxtune ARGUMENTS`, to its end."""
    done = subprocess.run(
        [*BOXTUNE, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=folder,
        env={**os.environ, **environment},
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def boxtune_here(*arguments: str | Path) -> Ended:
    """`boxtune ARGUMENTS` in this process, which has loaded everything: for what is asked a hundred times."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = run_command([str(each) for each in arguments])
    return Ended(code, out.getvalue(), err.getvalue())


def run(tmp_path: Path, experiment: dict[str, Any], *more: str, **environment: str) -> Any:
    """Write and run an experiment in tmp_path/run."""
    path = write(tmp_path / "experiment.yaml", experiment)
    return boxtune("run", path, "--out", tmp_path / "run", *more, folder=tmp_path, **environment)


def status(tmp_path: Path) -> dict[str, Any]:
    """`boxtune show --json`'s status."""
    shown = boxtune_here("show", tmp_path / "run", "--json")
    assert shown.code == 0, shown.err
    found: dict[str, Any] = json.loads(shown.out)["status"]
    return found


def details(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Trials by number."""
    return {trial["name"].removeprefix("shell-"): trial for trial in status(tmp_path)["trialDetails"]}


def processes_of(arguments: Sequence[str]) -> list[int]:
    """Ids of living processes whose command line holds every one of `arguments`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if all(argument in line for argument in arguments) and state != "Z":
                found.append(int(entry.name))
    return found
