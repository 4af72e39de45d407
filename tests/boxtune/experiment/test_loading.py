"""Reading Experiments, and refusing what Katib's webhook refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.errors import ExperimentError
from boxtune.experiment.editing import with_generated_name
from boxtune.experiment.loading import load_experiment, read_experiment
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
    (lambda e: e.update(apiVersion="kubeflow.org/v1"), "kubeflow.org/v1 is unknown to Katib v0.19; write kubeflow"),
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
    (space(), "a double needs min and max"),
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
    (lambda e: template(e)["trialParameters"].clear(), "trialParameters: must be given"),
    (lambda e: template(e)["trialSpec"].update(metadata={"name": "job"}), "name and namespace must be left out"),
    (lambda e: template(e)["trialSpec"].update(kind="Workflow"), "successCondition and failureCondition"),
    (lambda e: template(e)["trialSpec"]["spec"].update(backofLimit=0), "backofLimit: there is no such field"),
    (lambda e: container(e).update(commandd=["x"]), "containers.0.commandd: there is no such field"),
    (lambda e: container(e).update(command="sh"), "command: must be a list, not \"sh\""),
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
        ("kind: Deployment\n", "has no Experiment, only a Deployment"),
        ("just text\n", "has no Experiment, only a document without a kind"),
        ("kind: ConfigMap\nmetadata: {name: x}\n", "has no Experiment, only a ConfigMap"),
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


def test_other_documents_are_left_alone_with_a_note(tmp_path: Path) -> None:
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}
    read = read_experiment(write(tmp_path / "experiment.yaml", claim, shell_experiment()))
    (note,) = read.others
    assert (note.severity, note.line) == ("note", 1)
    assert note.what == "a PersistentVolumeClaim stands beside the Experiment; it is left alone"


def test_a_list_is_unpacked_and_its_lines_are_the_file_s(tmp_path: Path) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [shell_experiment()]}
    path = write(tmp_path / "experiment.yaml", listed)
    assert load_experiment(path).name == "shell"
    line = read_experiment(path).document.line("spec.maxTrialCount")
    assert "maxTrialCount: 4" in path.read_text().splitlines()[line - 1]


def test_one_of_several_is_chosen_by_its_name(tmp_path: Path) -> None:
    other = shell_experiment()
    other["metadata"]["name"] = "other"
    path = write(tmp_path / "experiment.yaml", shell_experiment(), other)
    assert load_experiment(path, "other").name == "other"
    with pytest.raises(ExperimentError, match="has 2 Experiments: shell, other; choose one: --name NAME"):
        load_experiment(path)
    with pytest.raises(ExperimentError, match="has no Experiment third; it has shell, other"):
        load_experiment(path, "third")


def test_a_generated_name(tmp_path: Path) -> None:
    raw = shell_experiment()
    raw["metadata"] = {"generateName": "sweep-"}
    loaded = load_experiment(write(tmp_path / "experiment.yaml", raw))
    assert loaded.name == "sweep"
    named = with_generated_name(loaded)
    assert re.fullmatch("sweep-[a-z0-9]{5}", named.name)
    assert with_generated_name(named).name == named.name


def test_a_template_in_a_config_map_of_the_file(tmp_path: Path) -> None:
    raw = shell_experiment()
    job = yaml.safe_dump(template(raw).pop("trialSpec"))
    held = {"configMapName": "templates", "configMapNamespace": "team", "templatePath": "job.yaml"}
    template(raw).update(configMap=held, successCondition="a", failureCondition="b")
    for text, says in (
        (job, ""),
        (job.replace("trialParameters.x", "trialParameters.y"), "${trialParameters.y} is none of the trialParameters"),
        (job.replace("image: none", "image: ''"), "job.yaml: spec.template.spec.containers.0.image: is left empty"),
        (f"{job}\n  - [", "configMap: job.yaml:"),
    ):
        beside = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "templates"},
            "data": {"job.yaml": text},
        }
        path = write(tmp_path / "experiment.yaml", raw, beside)
        if says:
            with pytest.raises(ExperimentError) as raised:
                load_experiment(path)
            assert says in str(raised.value)
        else:
            load_experiment(path)
