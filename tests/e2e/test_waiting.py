"""What boxtune says of searches on the real Katib that wait, lose their collector, are stopped early or cancelled."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.e2e.kubectl import kubectl, kubectl_json, succeeds, wait_for
from tests.e2e.searches import boxtune, experiment_file, outcome, printed, short, shown, status, submitted, trial_pods
from tests.experiments import BOXTUNE

pytestmark = pytest.mark.usefixtures("katib")
SOON = 90.0  # seconds, in which a reason must have been said
FEW = ("--set=num_steps=4",)
ONE = {"maxTrialCount": 1, "maxFailedTrialCount": 1}
CLAIM = "without-a-volume"
EMPTY = "boxtune-e2e-empty"  # a namespace whose claim gets no volume


def one_trial(folder: Path, image: str, change: Callable[[dict[str, Any]], None], *more: str, **spec: Any) -> Path:
    """A short random search of one trial, whose pod is changed so."""
    lists = {"batch_size": ("4",)}
    file = short(experiment_file("random-search"), folder, image, *(more or FEW), lists=lists, **{**ONE, **spec})
    config_map, experiment = yaml.safe_load_all(file.read_text())
    change(experiment["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"])
    file.write_text(yaml.safe_dump_all([config_map, experiment]))
    return file


def claiming(pod: dict[str, Any]) -> None:
    volume = next(each for each in pod["volumes"] if each["name"] == "data")
    volume["persistentVolumeClaim"] = {"claimName": CLAIM}


def too_large(pod: dict[str, Any]) -> None:
    pod["containers"][0]["resources"]["requests"] = {"cpu": "900", "memory": "1Gi"}


def submit_says(file: Path, namespace: str, *more: str) -> str:
    """What `boxtune submit` warns of."""
    done = subprocess.run(
        [*BOXTUNE, "submit", str(file), f"--namespace={namespace}", *more],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


@contextmanager
def watching(namespace: str, name: str, width: int = 0) -> Iterator[Callable[[str], str]]:
    """What `boxtune watch` prints, in a pipe or on a terminal of this width: the function returns once it says this."""
    command = [*BOXTUNE, "watch", name, f"--namespace={namespace}"]
    ours, theirs = pty.openpty() if width else os.pipe()
    if width:
        ioctl(theirs, TIOCSWINSZ, pack("HHHH", 30, width, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs if width else None, env=environment)
    os.close(theirs)
    os.set_blocking(ours, False)
    seen = b""

    def until(words: str) -> str:
        nonlocal seen

        def found() -> str:
            nonlocal seen
            with suppress(BlockingIOError, OSError):
                seen += os.read(ours, 65536)
            text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode(errors="replace"))
            return text if words in " ".join(text.split()) else ""

        return str(wait_for(f"boxtune watch says: {words}", found, SOON))

    try:
        yield until
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.fixture
def no_volumes(namespace: str) -> Iterator[None]:
    """A claim that gets no volume: nobody provides any here."""
    if kubectl_json("get", "storageclass")["items"]:
        pytest.skip("this cluster has a StorageClass, so that every claim gets a volume")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "777Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM}, "spec": spec}
    kubectl("apply", "-n", namespace, "-f", "-", given=yaml.safe_dump(claim))
    events = ("get", "events", "-n", namespace, "--field-selector", f"involvedObject.name={CLAIM}")
    wait_for("what is said of the claim", lambda: kubectl_json(*events)["items"])
    yield
    kubectl("delete", "persistentvolumeclaim", CLAIM, "-n", namespace)


@pytest.mark.usefixtures("no_volumes")
def test_a_claim_without_a_volume_is_said_before_and_while_a_trial_waits(
    namespace: str, image: str, tmp_path: Path
) -> None:
    file = one_trial(tmp_path, image, claiming)
    said = (
        f"the claim {CLAIM} has no volume: no persistent volumes available for this claim and no storage class is set"
    )
    assert f"volume data: {said}" in submit_says(file, namespace, "--dry-run")
    with submitted(file, namespace) as name:
        with watching(namespace, name) as until:
            until(f"waits for a volume: {said}")
        with watching(namespace, name, width=80) as until:
            until(f": waits for a volume: {said}")
        (trial,) = shown(namespace, name)["trialDetails"]
        assert trial["reason"].startswith(f"waits for a volume: {said}")


def test_a_request_that_no_node_can_meet_is_said_before_and_while_a_trial_waits(
    namespace: str, image: str, tmp_path: Path
) -> None:
    file = one_trial(tmp_path, image, too_large)
    assert "trials ask for 900.05 cpu, and no node has more than " in submit_says(file, namespace, "--dry-run")
    assert "trials ask for" not in submit_says(one_trial(tmp_path, image, lambda _: None), namespace, "--dry-run")
    with submitted(one_trial(tmp_path, image, too_large), namespace) as name, watching(namespace, name, 90) as until:
        until("waits for a node: 0/1 nodes are available: 1 Insufficient cpu")


@pytest.mark.usefixtures("no_volumes")
def test_put_data_says_what_it_waits_for(image: str, tmp_path: Path) -> None:
    claims = (REPOSITORY / "manifests" / "base" / "claims.yaml").read_text()
    kubectl("create", "namespace", EMPTY)
    environment = {**os.environ, "PUT_DATA_SECONDS": "15"}
    command = [str(REPOSITORY / "kind-cluster" / "put-data"), str(tmp_path), EMPTY, image]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "kubectl apply -k manifests/base makes the claim boxtune-data" in done.stderr
        kubectl("apply", "-n", EMPTY, "-f", "-", given=claims)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        waits = "put-data waits for a volume for the claim boxtune-data: no persistent volumes available for this claim"
        assert done.stderr.count(waits) == 1, done.stderr
        assert "its pod did not start in 15 s: for a volume for the claim boxtune-data" in done.stderr
    finally:
        kubectl("delete", "namespace", EMPTY)


def test_a_search_whose_service_cannot_start_says_so(namespace: str, image: str, tmp_path: Path) -> None:
    """Refused by a quota, here; an image that cannot be pulled, or Pod Security, keep it as well."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "nothing-more"},
        "spec": {"hard": {"pods": "0"}},
    }
    kubectl("apply", "-n", namespace, "-f", "-", given=yaml.safe_dump(quota))
    try:
        with submitted(one_trial(tmp_path, image, lambda _: None), namespace) as name:
            with watching(namespace, name) as until:
                until(f"{name}: no trial begins: Katib's suggestion service (random) has no pod: ")
            assert "exceeded quota: nothing-more" in shown(namespace, name)["waits"]
    finally:
        kubectl("delete", "resourcequota", "nothing-more", "-n", namespace)


@contextmanager
def without_database() -> Iterator[None]:
    """Katib without what keeps its metrics."""
    scale = ("scale", "-n", "kubeflow", "deployment/katib-db-manager")
    kubectl(*scale, "--replicas=0")
    try:
        yield
    finally:
        kubectl(*scale, "--replicas=1")
        kubectl("rollout", "status", "-n", "kubeflow", "deployment/katib-db-manager", "--timeout=120s")


def test_a_collector_that_dies_is_named(namespace: str, image: str, data: Path, tmp_path: Path) -> None:
    with submitted(one_trial(tmp_path, image, lambda _: None), namespace) as name:
        pod = _training(namespace, name)
        with without_database():
            state = wait_for("the collector's end", lambda: _collector(namespace, pod).get("terminated"))
            assert state["exitCode"] != 0
            (trial,) = shown(namespace, name)["trialDetails"]
        assert trial["reason"].startswith("Katib's collector failed, so no metric arrives (")
        assert "): Failed to Report logs: rpc error" in trial["reason"]
        assert outcome(namespace, name) == "Failed"
        (trial,) = shown(namespace, name)["trialDetails"]
        assert trial["condition"] == "Failed"
        assert trial["reason"].startswith("Katib's collector failed")


def _training(namespace: str, experiment: str) -> str:
    """The pod of the first trial, which trains now."""
    pod = str(wait_for("a pod", lambda: trial_pods(namespace, experiment))[0]["metadata"]["name"])
    wait_for("its training", lambda: "training from" in printed(namespace, pod))
    return pod


def _collector(namespace: str, pod: str) -> dict[str, Any]:
    """The state of the collector's container."""
    statuses = kubectl_json("get", "pod", pod, "-n", namespace)["status"].get("containerStatuses") or ()
    found = [each["state"] for each in statuses if each["name"] == "metrics-logger-and-collector"]
    return dict(found[0]) if found else {}


def test_medianstop_ends_trials_early_and_they_count(namespace: str, image: str, data: Path, tmp_path: Path) -> None:
    """A grid in which half of the learning rates train nothing: after a good trial, those are ended."""
    settings = [{"name": "min_trials_required", "value": "1"}, {"name": "start_step", "value": "2"}]
    file = short(
        experiment_file("grid-search"), tmp_path, image, "--set=num_steps=20", "--eval_every_n=5",
        lists={"learning_rate": ("0.002", "0.000000001"), "batch_size": ("4", "8")},
        maxTrialCount=4, maxFailedTrialCount=1,
        objective={
            "type": "minimize", "objectiveMetricName": "total_loss",
            "metricStrategies": [{"name": "total_loss", "value": "latest"}],
        },
        algorithm={"algorithmName": "grid", "algorithmSettings": [{"name": "random_state", "value": "1"}]},
        earlyStopping={"algorithmName": "medianstop", "algorithmSettings": settings},
    )  # fmt: skip
    with submitted(file, namespace) as name:
        watched = boxtune("watch", name, f"--namespace={namespace}")
        found = status(namespace, name)
        early = found["earlyStoppedTrialList"]
        assert found["trialsSucceeded"] + len(early) == 4
        ours = {each["name"]: each for each in shown(namespace, name)["trialDetails"]}
        for trial in early:
            assert ours[trial]["condition"] == "EarlyStopped"
            assert ours[trial]["seconds"] > 5
            (metric,) = ours[trial]["observation"]["metrics"]
            told = re.search(rf"^{trial} stopped early after (.+): total_loss ([\d.]+); ", watched, re.MULTILINE)
            assert told is not None, watched
            assert float(told[2]) == pytest.approx(float(metric["latest"]), rel=1e-3)
            assert not told[1].startswith("0 s")
        page = tmp_path / "page.html"
        boxtune("report", name, f"--namespace={namespace}", f"--out={page}")
        text = page.read_text()
        assert all(trial.removeprefix(f"{name}-") in text for trial in ours)
        assert "learning_rate_base" in text.partition("The best config against the base")[2]


def test_cancel_returns_when_all_is_gone_and_the_name_is_free(
    namespace: str, image: str, data: Path, tmp_path: Path
) -> None:
    file = one_trial(tmp_path, image, lambda _: None, "--set=num_steps=2000")
    config_map, experiment = yaml.safe_load_all(file.read_text())
    name, where = experiment["metadata"]["name"], f"--namespace={namespace}"
    kubectl("delete", "configmap", config_map["metadata"]["name"], "-n", namespace, "--ignore-not-found")
    for _ in range(2):
        boxtune("submit", str(file), where)
        _training(namespace, name)
        assert status(namespace, name)["conditions"][-1]["type"] == "Running"
        begun = time.monotonic()
        said = boxtune("cancel", name, where)
        assert time.monotonic() - begun < SOON
        assert f"configmap/{config_map['metadata']['name']} deleted" in said
        label = f"katib.kubeflow.org/experiment={name}"
        for kind in ("trials", "suggestions", "jobs"):
            assert not kubectl_json("get", kind, "-n", namespace, "-l", label)["items"], kind
        assert not trial_pods(namespace, name)
        assert not succeeds("get", "configmap", config_map["metadata"]["name"], "-n", namespace)
