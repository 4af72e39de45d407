"""Searches on the real Katib in which something goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.e2e.kubectl import TIME_LIMIT, evict, kubectl, kubectl_json, wait_for
from tests.e2e.proxy import Proxy
from tests.e2e.searches import (
    experiment_file,
    measured,
    outcome,
    printed,
    short,
    shown,
    status,
    submitted,
    trial_of,
    trial_pods,
)
from tests.e2e.trial_pods import built
from tests.experiments import BOXTUNE

pytestmark = pytest.mark.usefixtures("katib")
DIVERGES, SMALL, HUGE = "1e30", "96", "8192"  # a learning rate; image sizes
KATIB = ("deployment/katib-controller", "deployment/katib-db-manager")
KILL = "kill -9 $(cat /model/trial.lock)"


def test_diverged_killed_and_out_of_memory_the_search_goes_on(
    namespace: str, image: str, data: Path, tmp_path: Path
) -> None:
    """Six trials of a grid: three that need more memory than there is; of the others one diverges, one is killed."""
    file = _with_image_size(
        short(
            experiment_file("grid-search"), tmp_path, image, "--set=num_steps=20", "--eval_every_n=10",
            lists={"learning_rate": ("0.001", "0.002", DIVERGES), "batch_size": ("4",)},
            maxTrialCount=6, maxFailedTrialCount=5,
        )
    )  # fmt: skip
    with submitted(file, namespace) as name:
        pod = wait_for("a trial that trains well", lambda: _well_behaved(namespace, name))
        killed = trial_of(pod)
        wait_for("its training", lambda: "training from" in printed(namespace, pod["metadata"]["name"]))
        kubectl("exec", "-n", namespace, pod["metadata"]["name"], "-c", "trial", "--", "sh", "-c", KILL)
        assert outcome(namespace, name) == "Succeeded"
        found = status(namespace, name)
        assert (found["trialsSucceeded"], found["trialsFailed"]) == (2, 4)
        values = measured(namespace, name)
        assert values[found["currentOptimalTrial"]["bestTrialName"]] == max(values.values())
        trials = shown(namespace, name)["trialDetails"]
    for trial in trials:
        image_size = next(each["value"] for each in trial["parameterAssignments"] if each["name"] == "image_size")
        expected = ("Failed", "killed") if trial["name"] == killed else ("Succeeded", "")
        condition, word = ("Failed", "out of memory") if image_size == HUGE else expected
        assert trial["condition"] == condition
        assert word in (reason := trial.get("reason", ""))
        assert bool(word) == bool(reason)


def _with_image_size(file: Path) -> Path:
    """The Experiment with one more parameter."""
    config_map, experiment = yaml.safe_load_all(file.read_text())
    spec = experiment["spec"]
    spec["parameters"].append(
        {"name": "image_size", "parameterType": "discrete", "feasibleSpace": {"list": [SMALL, HUGE]}}
    )
    spec["trialTemplate"]["trialParameters"].append({"name": "imageSize", "reference": "image_size"})
    container = spec["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"][0]
    container["args"].append("--set=image_size=${trialParameters.imageSize}")
    file.write_text(yaml.safe_dump_all([config_map, experiment]))
    return file


def _well_behaved(namespace: str, experiment: str) -> dict[str, Any] | None:
    for pod in trial_pods(namespace, experiment):
        text = json.dumps(pod["spec"]["containers"])
        if DIVERGES not in text and HUGE not in text:
            return pod
    return None


def test_an_evicted_trial_goes_on_in_the_next_pod(namespace: str, image: str, data: Path, tmp_path: Path) -> None:
    """As spot nodes do it, by Katib's own webhook and collector."""
    built(tmp_path / "overlay", ("spot", "models-claim"))
    arguments = ("--set=num_steps=200", "--eval_every_n=20", "--seed=1")
    counts = {"maxTrialCount": 1, "maxFailedTrialCount": 1}
    overlay = tmp_path / "overlay" / "experiment.yaml"
    file = short(overlay, tmp_path, image, *arguments, lists={"batch_size": ("8",)}, **counts)
    with submitted(file, namespace) as name:
        first = wait_for("a pod", lambda: trial_pods(namespace, name))[0]["metadata"]["name"]
        earlier = wait_for("its first metrics", lambda: _metric_lines(namespace, first))[0]
        evict(namespace, first)
        assert outcome(namespace, name) == "Succeeded"
        second = trial_pods(namespace, name)[-1]["metadata"]["name"]
        assert second != first
        said = printed(namespace, second)
        assert earlier in said
        assert "going on from step" in said
        assert len(_metric_lines(namespace, second)) == 10
        assert status(namespace, name)["trialsSucceeded"] == 1


def _metric_lines(namespace: str, pod: str) -> list[str]:
    return sorted({line for line in printed(namespace, pod).splitlines() if " mAP=" in line})


@pytest.fixture
def replaceable_controller(katib: None) -> None:
    """The controller's pod can be deleted: a new one does not wait for the webhook that it answers itself."""
    webhooks = kubectl_json("get", "mutatingwebhookconfiguration", "katib.kubeflow.org")["webhooks"]
    if not any("matchExpressions" in webhook.get("objectSelector", {}) for webhook in webhooks):
        pytest.skip("Katib's controller would not come back: kind-cluster/katib-config was not run on this cluster")


@pytest.mark.usefixtures("replaceable_controller")
def test_controller_and_connection_lost_in_the_middle(namespace: str, image: str, data: Path, tmp_path: Path) -> None:
    """Katib's controller is replaced, and the connection of `boxtune watch` is cut, while trials run."""
    file = short(experiment_file("random-search"), tmp_path, image, "--set=num_steps=4",
                 lists={"batch_size": ("4", "8")}, maxTrialCount=3, maxFailedTrialCount=1)  # fmt: skip
    with Proxy() as proxy, submitted(file, namespace) as name:
        environment = {**os.environ, "KUBECONFIG": str(proxy.kubeconfig(tmp_path))}
        watching = subprocess.Popen(
            [*BOXTUNE, "watch", name, f"--namespace={namespace}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
        )  # fmt: skip
        wait_for("a trial's end", lambda: status(namespace, name).get("trialsSucceeded"))
        proxy.cut()
        threading.Timer(8.0, proxy.restore).start()
        kubectl("delete", "pod", "-A", "-l", "katib.kubeflow.org/component=controller", "--wait=false")
        out, _ = watching.communicate(timeout=TIME_LIMIT)
        assert watching.returncode == 0, out
        assert "trying again" in out
        assert "answers again" in out
        found = status(namespace, name)
        values = measured(namespace, name)
        assert found["trials"] == found["trialsSucceeded"] == len(values) == 3
        assert values[found["currentOptimalTrial"]["bestTrialName"]] == max(values.values())
        assert all(value.removeprefix(f"{name}-") in out for value in values)


def test_a_katib_that_shut_itself_out_comes_back(katib: None) -> None:
    """As after half of the installs: the webhook that the controller answers refuses the pods of Katib itself."""
    hooks = kubectl_json("get", "mutatingwebhookconfiguration", "katib.kubeflow.org")["webhooks"]
    place = next(place for place, hook in enumerate(hooks) if hook["name"] == "mutator.pod.katib.kubeflow.org")
    stock = json.dumps([{"op": "add", "path": f"/webhooks/{place}/objectSelector", "value": {}}])
    kubectl("patch", "mutatingwebhookconfiguration", "katib.kubeflow.org", "--type=json", "-p", stock)
    kubectl("scale", "-n", "kubeflow", *KATIB, "--replicas=0")
    pods = ("get", "pods", "-n", "kubeflow", "-l", "katib.kubeflow.org/component in (controller,db-manager)")
    wait_for("Katib's end", lambda: not kubectl_json(*pods)["items"])
    kubectl("delete", "events", "-n", "kubeflow", "--all")
    kubectl("scale", "-n", "kubeflow", *KATIB, "--replicas=1")  # now nobody answers the webhook
    refused = ("get", "events", "-n", "kubeflow", "--field-selector", "reason=FailedCreate")
    wait_for("both are refused", lambda: len(kubectl_json(*refused)["items"]) > 1)
    done = subprocess.run(
        [REPOSITORY / "kind-cluster" / "katib-config"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Katib runs, and answers" in done.stdout
