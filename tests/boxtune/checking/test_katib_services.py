"""Spaces on which Katib's own suggestion services never answer: what they said (services.tsv), and what is said here.

services.tsv: algorithm, what its service of Katib v0.19 did when it was asked for three trials (hyperopt 0.2.5, Optuna
3.3, scikit-optimize 0.9 and goptuna, all with a maxTrialCount of 3), parameters. `refused`: it refuses the Experiment;
`never`: it ends in an error at one of the three, or answers without a value; `answers`: it has three trials.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boxtune.checking.check import CheckOptions, check
from boxtune.problems import Problem
from tests.experiments import container, shell_experiment, write

ROWS = [line.split("\t") for line in (Path(__file__).parent / "services.tsv").read_text().splitlines()]


def errors(tmp_path: Path, algorithm: str, parameters: str) -> list[Problem]:
    given = json.loads(parameters)
    experiment = shell_experiment("true", algorithm={"algorithmName": algorithm}, parameters=given)
    experiment["spec"] |= {"maxTrialCount": 3, "maxFailedTrialCount": 2}
    container(experiment)["command"] = ["train", *(f"${{trialParameters.{each['name']}}}" for each in given)]
    container(experiment).pop("env", None)
    references = [{"name": each["name"], "reference": each["name"]} for each in given]
    experiment["spec"]["trialTemplate"]["trialParameters"] = references
    path = write(tmp_path / "experiment.yaml", experiment)
    found = check(path, CheckOptions())
    return [each for each in found if each.severity == "error" and "restartPolicy" not in each.path]


@pytest.mark.parametrize(
    ("algorithm", "verdict", "parameters"), ROWS, ids=[f"{number}-{row[0]}" for number, row in enumerate(ROWS)]
)
def test_what_the_service_said(tmp_path: Path, algorithm: str, verdict: str, parameters: str) -> None:
    found = errors(tmp_path, algorithm, parameters)
    assert bool(found) == (verdict != "answers"), [str(each) for each in found]
    if verdict == "never":
        assert any("suggestion ever comes" in each.on_katib or "service" in each.on_katib for each in found)


def hyperband(tmp_path: Path, parallel: int, most: int | None = None, rates: tuple[str, ...] = ("1", "2")) -> list[str]:
    """The paths of what is said of a hyperband from 1 to 9 epochs."""
    settings = [{"name": "r_l", "value": "9"}, {"name": "resource_name", "value": "epochs"}]
    parameters = [
        {"name": "epochs", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9"}},
        {"name": "size", "parameterType": "discrete", "feasibleSpace": {"list": list(rates)}},
    ]
    experiment = shell_experiment(
        "true", algorithm={"algorithmName": "hyperband", "algorithmSettings": settings}, parameters=parameters
    )
    experiment["spec"] |= {"parallelTrialCount": parallel, "maxFailedTrialCount": 2, "maxTrialCount": most or 23}
    container(experiment)["command"] = ["train", "${trialParameters.epochs}", "${trialParameters.size}"]
    container(experiment).pop("env", None)
    references = [{"name": name, "reference": name} for name in ("epochs", "size")]
    experiment["spec"]["trialTemplate"]["trialParameters"] = references
    found = check(write(tmp_path / "experiment.yaml", experiment), CheckOptions())
    return [each.path for each in found if "hyperband" in str(each)]


def test_what_hyperband_s_service_does_not_do_is_said(tmp_path: Path) -> None:
    assert hyperband(tmp_path, 8, 8) == ["spec.parallelTrialCount"]
    assert hyperband(tmp_path, 9, 9) == []
    assert hyperband(tmp_path, 9) == ["spec.algorithm.algorithmName"]
    assert hyperband(tmp_path, 9, 9, ("1", "2.5")) == ["spec.parameters.1.feasibleSpace.list"]
