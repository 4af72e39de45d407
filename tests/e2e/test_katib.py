"""The Experiments on the real Katib: its webhook on each of them; searches, beside what boxtune says of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.cluster.reasons import COLLECTOR
from boxtune.experiment.model import DEFAULT_FILTER
from boxtune.runs.collector import collect_text
from tests.boxtune.checking.test_check import CORPUS, NAMES, found, written
from tests.conftest import EXPERIMENTS
from tests.e2e.kubectl import kubectl, kubectl_json, succeeds
from tests.experiments import BOXTUNE

FILES = sorted(EXPERIMENTS.glob("*.yaml"))
FIXED_BATCH = "4"
SEARCHES = {  # what is searched, with how many trials
    "random-search": 2,
    "grid-search": 2,
    "feature-extractor": 3,
}


@pytest.fixture(scope="module", autouse=True)
def katib(cluster: None) -> None:
    """Katib answers."""
    if not succeeds("get", "crd", "experiments.kubeflow.org"):
        pytest.skip("no Katib on this cluster")


def webhook(file: Path, namespace: str) -> str:
    """What Katib's webhook has against an Experiment; empty where it accepts."""
    experiment = next(part for part in file.read_text().split("\n---\n") if "\nkind: Experiment\n" in f"\n{part}\n")
    done = subprocess.run(
        ["kubectl", "create", "-n", namespace, "--dry-run=server", "-f", "-"],
        input=experiment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_webhook_accepts_every_experiment(namespace: str, file: Path) -> None:
    assert webhook(file, namespace) == ""


@pytest.mark.parametrize("entry", CORPUS, ids=NAMES)
def test_the_webhook_s_word_is_the_corpus_s(namespace: str, entry: dict[str, Any], tmp_path: Path) -> None:
    """What it refuses, `check` refuses too; and what `check` lets pass, it accepts."""
    file = written(tmp_path, entry)
    refused = webhook(file, namespace)
    assert ("refused" if refused else "accepted") == entry["webhook"], refused
    if refused:
        assert any(each.severity == "error" for each in found(file, entry))


@pytest.fixture(params=SEARCHES)
def search(request: pytest.FixtureRequest, namespace: str, image: str, data: Path, tmp_path: Path) -> Iterator[Path]:
    """The file of a short search: a few trials of four steps, from the image of the tests."""
    name = request.param
    config_map, experiment = yaml.safe_load_all((EXPERIMENTS / f"{name}.yaml").read_text())
    spec = experiment["spec"]
    spec |= {"maxTrialCount": SEARCHES[name], "maxFailedTrialCount": 1, "parallelTrialCount": 1}
    container = spec["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"][0]
    container["image"] = image
    container["args"] = [each.replace("epochs=10", "num_steps=4") for each in container["args"]]
    container["resources"] = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "8Gi"}}
    batch_size = next((each for each in spec["parameters"] if each["name"] == "batch_size"), None)
    if batch_size is not None:  # what a small machine has memory and time for
        batch_size["feasibleSpace"]["list"] = ["4", "8"]
    else:
        container["args"].append(f"--set=batch_size={FIXED_BATCH}")
    file = tmp_path / f"{name}.yaml"
    file.write_text(yaml.safe_dump_all([config_map, experiment]))
    yield file
    kubectl("delete", "experiment", name, "-n", namespace, "--ignore-not-found", "--timeout=120s")


def run(*arguments: str) -> str:
    """A boxtune command's output; fails with its error."""
    done = subprocess.run([*BOXTUNE, *arguments], capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_search_succeeds_and_boxtune_says_the_same_of_it(namespace: str, search: Path, data: Path) -> None:
    name, where = search.stem, f"--namespace={namespace}"
    run("submit", str(search), where)
    assert "is there already, the same" in run("submit", str(search), where)
    watched = run("watch", name, where)
    status = kubectl_json("get", "experiment", name, "-n", namespace)["status"]
    assert [each["type"] for each in status["conditions"] if each["status"] == "True"][-1] == "Succeeded"
    assert status["trialsSucceeded"] == SEARCHES[name]
    values = _values(namespace, name)
    assert len(values) == SEARCHES[name]
    best = status["currentOptimalTrial"]["bestTrialName"]
    assert values[best] == max(values.values())
    shown = json.loads(run("show", name, "--json", where))["status"]
    assert shown["currentOptimalTrial"]["bestTrialName"] == best
    assert shown["currentOptimalTrial"]["observation"] == status["currentOptimalTrial"]["observation"]
    assert {each["name"]: each["condition"] for each in shown["trialDetails"]} == dict.fromkeys(values, "Succeeded")
    assert best.removeprefix(f"{name}-") in watched
    config = run("best", name, where, f"--volume=data={data}")
    assigned = {each["name"]: each["value"] for each in status["currentOptimalTrial"]["parameterAssignments"]}
    assert f"train_config {{\n  batch_size: {assigned.get('batch_size', FIXED_BATCH)}\n" in config
    assert "deleted" in run("cancel", name, where)
    assert not succeeds("get", "experiment", name, "-n", namespace)


def _values(namespace: str, experiment: str) -> dict[str, float]:
    """Each trial's mAP, by its pod's log."""
    pods = kubectl_json("get", "pods", "-n", namespace, "-l", f"katib.kubeflow.org/experiment={experiment}")["items"]
    values = {}
    for pod in pods:
        if trial := pod["metadata"]["labels"].get("katib.kubeflow.org/trial"):
            log = kubectl("logs", "-n", namespace, pod["metadata"]["name"], "-c", COLLECTOR)
            lines = "\n".join(line.partition("] ")[2] for line in log.splitlines())
            value = collect_text(lines, ["mAP"], [DEFAULT_FILTER])["mAP"].value("latest")
            assert value is not None
            values[trial] = value
    return values
