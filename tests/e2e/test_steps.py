"""A search on the real Katib out of a pipeline's step, with the shipped Role and nothing more: its data come from the
pipelines' object store without a volume, its config with the pods; it is killed and found again; it goes with its run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from boxtune.local.reading import open_run
from tests.conftest import REPOSITORY
from tests.e2e.conftest import DEMO, HOST_FOLDER
from tests.e2e.kubectl import TIME_LIMIT, kubectl, kubectl_json, succeeds, wait_for
from tests.e2e.pipeline_store import SECRET
from tests.e2e.searches import experiment_file, short, trial_pods
from tests.experiments import BOXTUNE
from trial_entry.contract.files import FETCHED_FILE

NAMESPACE = "boxtune-steps-e2e"


@pytest.fixture(scope="module")
def profile(katib: None, demo_in_store: str) -> Iterator[str]:
    """A namespace as a Profile's: the store's secret, manifests/pipelines, `restricted` pods; no claim."""
    kubectl("apply", "-f", "-", given=yaml.safe_dump({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {
            "katib.kubeflow.org/metrics-collector-injection": "enabled",
            "pod-security.kubernetes.io/enforce": "restricted"}}}))  # fmt: skip
    secret = kubectl_json("get", "secret", SECRET, "-n", "kubeflow")
    copied = {**secret, "metadata": {"name": SECRET, "namespace": NAMESPACE}}
    kubectl("apply", "-f", "-", given=json.dumps(copied))
    HOST_FOLDER.mkdir(exist_ok=True)
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": NAMESPACE,
        "resources": [os.path.relpath(REPOSITORY / "manifests" / "pipelines", HOST_FOLDER)],
    }  # fmt: skip
    (HOST_FOLDER / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    kubectl("apply", "-f", "-", given=kubectl("kustomize", "--load-restrictor=LoadRestrictionsNone", str(HOST_FOLDER)))
    if not succeeds("get", "serviceaccount", "pipeline-runner", "-n", NAMESPACE):
        kubectl("create", "serviceaccount", "pipeline-runner", "-n", NAMESPACE)
    yield NAMESPACE
    kubectl("delete", "namespace", NAMESPACE, "--wait=true")


def kubeconfig_of(account: str, folder: Path) -> Path:
    """A kubeconfig of one of the namespace's service accounts."""
    config = yaml.safe_load(kubectl("config", "view", "--raw", "--flatten", "--minify"))
    user = {"token": kubectl("create", "token", account, "-n", NAMESPACE, "--duration=2h").strip()}
    config["users"] = [{"name": config["contexts"][0]["context"]["user"], "user": user}]
    file = folder / f"{account}.kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.fixture
def start(profile: str, image: str, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts the step, as pipeline-runner."""
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig_of("pipeline-runner", tmp_path))}
    file = short(experiment_file("quick-start"), tmp_path, image, maxFailedTrialCount=1)

    def started(name: str, url: str, **more: Any) -> subprocess.Popen[str]:
        options = {"name": name, "data": {"data": url}, "namespace": NAMESPACE, "max_trials": 1, "num_steps": 3, **more}
        return subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.step", str(file), str(tmp_path / "run"), json.dumps(options)],
            cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    return started


def there(kind: str, name: str) -> bool:
    return succeeds("get", kind, name, "-n", NAMESPACE)


@pytest.fixture
def workflow(profile: str) -> Iterator[str]:
    """A run's Workflow, which does nothing."""
    name = "some-run"
    kubectl("apply", "-f", "-", given=yaml.safe_dump({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"suspend": True, "entrypoint": "main",
                 "templates": [{"name": "main", "container": {"image": "none", "command": ["true"]}}]}}))  # fmt: skip
    yield name
    kubectl("delete", "workflow", name, "-n", NAMESPACE, "--ignore-not-found")


def test_without_a_volume_killed_and_found_again(
    start: Callable[..., subprocess.Popen[str]], demo_in_store: str, workflow: str, tmp_path: Path
) -> None:
    first = start("search", demo_in_store, owner=workflow)
    wait_for("a trial", lambda: kubectl_json("get", "trials", "-n", NAMESPACE)["items"], 120)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    uid = kubectl_json("get", "experiment", "search", "-n", NAMESPACE)["metadata"]["uid"]
    again = start("search", demo_in_store, owner=workflow)
    out, err = again.communicate(timeout=TIME_LIMIT)
    assert again.returncode == 0, out + err
    assert "experiment/search is there already, the same" in out
    found = kubectl_json("get", "experiment", "search", "-n", NAMESPACE)
    assert found["metadata"]["uid"] == uid
    assert found["metadata"]["ownerReferences"][0]["name"] == workflow
    assert not kubectl_json("get", "persistentvolumeclaims", "-n", NAMESPACE)["items"]
    maps = [each["metadata"]["name"] for each in kubectl_json("get", "configmaps", "-n", NAMESPACE)["items"]]
    assert maps == ["kube-root-ca.crt"]

    run = open_run(tmp_path / "run")
    assert run.optimal is not None
    assert run.optimal.value(run.experiment.objective) is not None
    assert run.baseline is not None
    assert run.baseline.condition.measured
    report = subprocess.run(
        [*BOXTUNE, "report", str(tmp_path / "run"), "--out", str(tmp_path / "report.html")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert report.returncode == 0, report.stderr

    kubectl("delete", "workflow", workflow, "-n", NAMESPACE)
    for kind, name in (("experiment", "search"), ("job", "search-baseline")):
        wait_for(f"the end of {name}", lambda kind=kind, name=name: not there(kind, name), 60)  # type: ignore[misc]


def test_data_that_cannot_be_fetched_fail_the_trial_and_say_why(
    start: Callable[..., subprocess.Popen[str]], demo_in_store: str
) -> None:
    begun = time.monotonic()
    step = start("nowhere", "minio://nobodys/data", baseline=False)
    out, err = step.communicate(timeout=TIME_LIMIT)
    assert step.returncode == 3, out + err
    assert "fetch-data: the request is wrong: s3://nobodys/data/" in err.splitlines()[-1]
    assert "no such bucket on http://seaweedfs.kubeflow:9000" in err.splitlines()[-1]
    assert time.monotonic() - begun < 180
    kubectl("delete", "experiment", "nowhere", "-n", NAMESPACE)


@pytest.fixture
def shared(profile: str) -> Iterator[Path]:
    """A claim `shared`, as the folder of the node behind it."""
    folder = HOST_FOLDER / "shared"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o777)  # a hostPath knows no fsGroup
    size, name = {"storage": "1Gi"}, f"{NAMESPACE}-shared"
    same = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    kubectl("apply", "-f", "-", given=yaml.safe_dump_all([
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
         "spec": {**same, "capacity": size, "hostPath": {"path": str(folder)},
                  "claimRef": {"namespace": NAMESPACE, "name": "shared"}}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "shared", "namespace": NAMESPACE},
         "spec": {**same, "resources": {"requests": size}}},
    ]))  # fmt: skip
    yield folder
    kubectl("delete", "persistentvolumeclaim", "shared", "-n", NAMESPACE, "--wait=false")
    kubectl("delete", "persistentvolume", name, "--wait=false")


def test_trials_share_a_copy_on_a_claim(
    start: Callable[..., subprocess.Popen[str]], demo_in_store: str, shared: Path, tmp_path: Path
) -> None:
    step = start("sharing", demo_in_store, cache_claim="shared", max_trials=2, parallel=2, baseline=False)
    out, err = step.communicate(timeout=TIME_LIMIT)
    assert step.returncode == 0, out + err
    (copy,) = (each for each in shared.iterdir() if each.is_dir())
    assert (copy / FETCHED_FILE).exists()
    assert (copy / "train.record").stat().st_mode & 0o777 == 0o444
    fetched = 0
    for pod in trial_pods(NAMESPACE, "sharing"):
        log = kubectl("logs", pod["metadata"]["name"], "-n", NAMESPACE, "-c", "fetch-data")
        fetched += log.count(f"fetching s3://{DEMO}/train.record")
    assert fetched == 1
    kubectl("delete", "experiment", "sharing", "-n", NAMESPACE)


def test_what_nobody_waits_for_is_ended_by_its_lease(
    start: Callable[..., subprocess.Popen[str]], demo_in_store: str, tmp_path: Path
) -> None:
    step = start("left", demo_in_store, baseline=False)
    wait_for("the lease", lambda: there("lease", "left"), 120)
    step.send_signal(signal.SIGTERM)
    _, err = step.communicate(timeout=60)
    assert step.returncode == 130
    assert err.splitlines()[-1].startswith("stopped by SIGTERM; the Experiment left goes on")
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig_of("boxtune-cancel-stale", tmp_path))}
    command = [*BOXTUNE, "cancel", "--stale", "-n", NAMESPACE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (0, "")
    assert there("experiment", "left")
    past = json.dumps({"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}})
    kubectl("patch", "lease", "left", "-n", NAMESPACE, "--type=merge", "-p", past)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "left: nobody has waited for it since 2026-01-01T00:15:00Z" in done.stdout
    wait_for("the end of left", lambda: not there("experiment", "left"), 60)
    wait_for("the end of its lease", lambda: not there("lease", "left"), 60)
