"""Reading Experiments, and refusing what Katib's webhook refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boxtune.errors import ExperimentError
from boxtune.experiment.loading import load_experiment
from tests.experiments import container, shell_experiment, write

Change = Callable[[dict[str, Any]], object]


def parameter(experiment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = experiment["spec"]["parameters"][0]
    return found


def template(experiment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = experiment["spec"]["trialTemplate"]
    return found


def space(**fields: Any) -> Change:
    return lambda experiment: parameter(experiment).update(feasibleSpace=fields)


def spec(**fields: Any) -> Change:
    return lambda experiment: experiment["spec"].update(fields)


def objective(**fields: Any) -> Change:
    return lambda experiment: experiment["spec"]["objective"].update(fields)


REFUSED: list[tuple[Change, str]] = [
    (lambda e: e["metadata"].update(name="Upper"), 'metadata.name: "Upper"'),
    (lambda e: e["metadata"].update(name="a" * 41), "at most 40"),
    (lambda e: e.update(apiVersion="kubeflow.org/v1"), "must be kubeflow.org/v1beta1"),
    (spec(maxTrialCount=0), "spec.maxTrialCount: 0 must be above 0"),
    (spec(parallelTrialCount=0), "spec.parallelTrialCount: 0"),
    (spec(maxFailedTrialCount=-1), "must not be below 0"),
    (spec(maxFailedTrialCount=9), "spec.maxFailedTrialCount: 9 must not be above spec.maxTrialCount"),
    (spec(parallelTrialCount=9), "spec.parallelTrialCount: 9 must not be above"),
    (spec(maxTrialCount="4"), 'spec.maxTrialCount: must be a whole number, not "4"; leave out the quotes'),
    (spec(objective=None), "spec.objective: must be given"),
    (objective(type="best"), "must be minimize or maximize"),
    (objective(objectiveMetricName=""), "objectiveMetricName: must be given"),
    (objective(additionalMetricNames=["score"]), "must not contain the objectiveMetricName"),
    (spec(algorithm={}), "algorithmName: must be given"),
    (spec(earlyStopping={"algorithmName": "never"}), "Katib has medianstop"),
    (objective(goal=float("inf")), "goal: inf must be a finite number"),
    (space(min="0", max="1_0"), '"1_0" is no number'),
    (space(min="-1" + "0" * 308, max="1" + "0" * 308), "wider than a number can say"),
    (space(min="0", max="1", step=f"0.{'0' * 20}1"), "has too many steps"),
    (spec(resumePolicy="Sometimes"), "spec.resumePolicy: Sometimes"),
    (spec(parameters=[]), "spec.parameters: must be given"),
    (spec(nasConfig={"graphConfig": {"numLayers": 1}}), "nasConfig: must not be given beside"),
    (lambda e: parameter(e).update(parameterType="float"), "parameterType: float"),
    (space(), "feasibleSpace: must be given"),
    (space(min="0"), "a double needs min and max"),
    (space(min="0", max="1", list=["1"]), "a double has min and max instead"),
    (space(min=0.1, max="1"), "0.feasibleSpace.min: must be a text, not 0.1; put it in quotes"),
    (space(min="0", max="1", distribution="cauchy"), "feasibleSpace.distribution: cauchy"),
    (lambda e: parameter(e).update(parameterType="categorical"), "has a list instead of min, max and step"),
    (spec(trialTemplate=None), "spec.trialTemplate: must be given"),
    (lambda e: template(e).update(primaryContainerName=""), "primaryContainerName: must be given"),
    (lambda e: template(e).pop("trialParameters"), "trialParameters: must be given"),
    (lambda e: template(e).pop("trialSpec"), "trialSpec: must be given"),
    (lambda e: template(e)["trialParameters"].append({"name": "y", "reference": "y"}), "reference: y: no parameter"),
    (lambda e: template(e)["trialParameters"].append({"name": "x", "reference": "z"}), "name: x stands twice"),
    (lambda e: template(e)["trialParameters"].append({"name": "z", "reference": "x"}), "reference: x stands twice"),
    (lambda e: template(e)["trialParameters"].append({"name": "z"}), "name and reference must be given"),
    (lambda e: container(e).update(args=["${trialParameters.lost}"]), "${trialParameters.lost} is none of"),
    (lambda e: template(e)["trialParameters"].clear(), "${trialParameters.x} is none of the trialParameters"),
    (lambda e: template(e)["trialSpec"].update(metadata={"name": "job"}), "name and namespace must be left out"),
    (lambda e: template(e)["trialSpec"].update(kind="Workflow"), "successCondition and failureCondition"),
    (lambda e: template(e)["trialSpec"]["spec"].update(backofLimit=0), "backofLimit: there is no such field"),
    (lambda e: container(e).update(commandd=["x"]), "containers.0.commandd: there is no such field"),
    (lambda e: container(e).update(command="sh"), "command: must be a list, not \"sh\""),
    (spec(maxTrials=4), "spec.maxTrials: there is no such field"),
    (spec(metricsCollectorSpec={"collector": {"kind": "Magic"}}), "collector.kind: Magic"),
    (
        spec(metricsCollectorSpec={"collector": {"kind": "File"}, "source": {"fileSystemPath": {"path": "here"}}}),
        "path: here must be absolute",
    ),
    (
        spec(metricsCollectorSpec={"source": {"filter": {"metricsFormat": ["(a"]}}}),
        "not a regular expression of RE2",
    ),
    (spec(metricsCollectorSpec={"source": {"filter": {"metricsFormat": ["(a)"]}}}), "needs two groups"),
    (spec(metricsCollectorSpec={"source": {"filter": {"metricsFormat": ["(?=a)(b)"]}}}), "not a regular expression"),
    # Katib accepts these, but nothing could be suggested from them.
    (space(min="2", max="1"), "spec.parameters.0.feasibleSpace: min 2 is above max 1"),
    (space(min="low", max="1"), 'feasibleSpace.min: "low" is no number'),
    (space(min="0", max="1", distribution="logUniform"), "a logUniform range must lie above 0"),
    (space(min="0", max="1", step="0"), "step 0 must be above 0"),
    (lambda e: e["spec"]["parameters"].append(dict(parameter(e))), "spec.parameters.1.name: x stands twice"),
    (lambda e: parameter(e).update(parameterType="discrete", feasibleSpace={"list": []}), ""),
    (
        lambda e: e["spec"].update(
            parameters=[{"name": "x", "parameterType": "int", "feasibleSpace": {"min": "0.5", "max": "2"}}]
        ),
        "must be whole numbers",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "says"), REFUSED, ids=[says[:40] or "empty list" for _, says in REFUSED])
def test_what_cannot_be_run_is_refused(tmp_path: Path, change: Change, says: str) -> None:
    experiment = shell_experiment()
    change(experiment)
    with pytest.raises(ExperimentError) as raised:
        load_experiment(write(tmp_path / "experiment.yaml", experiment))
    assert says in str(raised.value)
    assert str(raised.value).startswith(f"{tmp_path}/experiment.yaml: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no such file"),
        ("a: [1", "experiment.yaml:1: not valid YAML"),
        ("kind: Experiment\nkind: Experiment\n", 'experiment.yaml:2: not valid YAML: "kind" stands twice'),
        ("kind: Deployment\n", "has a Deployment"),
        ("just text\n", "document without a kind"),
        ("kind: ConfigMap\nmetadata: {name: x}\n", "has 0 Experiments"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "experiment.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ExperimentError) as raised:
        load_experiment(path)
    assert says in str(raised.value)


def test_defaults_are_katib_s(tmp_path: Path) -> None:
    raw = shell_experiment(maxTrialCount=None, maxFailedTrialCount=None, parallelTrialCount=None)
    raw["spec"] = {name: value for name, value in raw["spec"].items() if value is not None}
    raw["spec"]["objective"]["additionalMetricNames"] = ["loss", "speed"]
    raw["spec"]["objective"]["metricStrategies"] = [{"name": "loss", "value": "min"}]
    loaded = load_experiment(write(tmp_path / "experiment.yaml", raw))
    assert (loaded.counts.parallel, loaded.counts.most, loaded.counts.most_failed) == (3, None, None)
    assert loaded.objective.strategies == {"score": "max", "loss": "min", "speed": "max"}
    assert loaded.collector.kind == "StdOut"
    assert loaded.parameters[0].distribution == "uniform"


def test_config_maps_come_from_the_file_or_a_kustomization(tmp_path: Path) -> None:
    (tmp_path / "pipeline.config").write_text("generated")
    (tmp_path / "kustomization.yaml").write_text(
        "configMapGenerator:\n- name: one\n  files: [pipeline.config, other=pipeline.config]\n"
    )
    inline = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}, "data": {"key": "inline"}}
    loaded = load_experiment(write(tmp_path / "experiment.yaml", shell_experiment(), inline))
    assert loaded.config_maps == {
        "one": {"pipeline.config": "generated", "other": "generated"},
        "two": {"key": "inline"},
    }
