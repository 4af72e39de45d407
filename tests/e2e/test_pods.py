"""The image in pods: Pod Security, a read-only root, GPUs, volumes, Katib's shell line, disruptions, memory."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boxtune.cluster.reasons import PodState, pod_state
from boxtune.experiment.experiment import DEFAULT_FILTER
from boxtune.runs.collector import collect_text
from tests.boxtune.cluster.models import read
from tests.buckets import client, serving, upload
from tests.e2e.conftest import HOST_FOLDER
from tests.e2e.kubectl import evict, kubectl, kubectl_json, succeeds, wait_for
from tests.e2e.trial_pods import ASSIGNMENTS, built, ended, log, pods, running, trial_job

GPU = "nvidia.com/gpu"
FEW = ("--set=num_steps=6",)
PLACE = "gs://drones/runs/bucket"


@pytest.fixture
def gpus(cluster: None) -> int:
    """How many the first node has."""
    node = kubectl_json("get", "nodes")["items"][0]
    count = int(node["status"]["allocatable"].get(GPU, 0))
    if not count:
        pytest.skip(f"no node has {GPU}; simulated ones do (kind-cluster/README.md)")
    kubectl("label", "node", node["metadata"]["name"], f"{GPU}.present=true", "--overwrite")
    return count


def test_a_trial_trains_on_volumes_and_the_next_waits_for_its_gpu(
    namespace: str, image: str, data: Path, gpus: int, tmp_path: Path
) -> None:
    experiment = built(tmp_path / "overlay", ("gpu", "models-claim", "shared-memory", "data-cache"))
    first, second = (
        trial_job(experiment, name, namespace, image, *FEW, limits={GPU: str(gpus)}) for name in ("first", "second")
    )
    with running(namespace, experiment, first) as one:
        wait_for("the first pod", lambda: pods(namespace, one) and pods(namespace, one)[0]["spec"].get("nodeName"))
        with running(namespace, experiment, second) as two:
            waits = wait_for("the second pod", lambda: _state(namespace, two).reason)
            assert "waits for a node" in waits
            assert f"Insufficient {GPU}" in waits
            assert ended(namespace, one) == "Complete", log(namespace, pods(namespace, one)[0]["metadata"]["name"])
            wait_for("the second pod's turn", lambda: pods(namespace, two)[0]["spec"].get("nodeName"))
        said = log(namespace, pods(namespace, one)[0]["metadata"]["name"])
    measured = collect_text(said, ["mAP", "precision", "recall"], [DEFAULT_FILTER])
    assert {"mAP", "precision", "recall"} <= set(measured), said
    assert all(metric.value("latest") is not None for metric in measured.values())
    if (HOST_FOLDER / "boxtune-models" / "first").is_dir():  # this machine is the node
        left = {file.name for file in (HOST_FOLDER / "boxtune-models" / "first").iterdir()}
        assert {"pipeline.config", "metrics.json", "trial.json", "checkpoint"} <= left


def _state(namespace: str, job: str) -> PodState:
    found = pods(namespace, job)
    return pod_state(read(found[0], "V1Pod"), "trial") if found else PodState("")


def test_trials_satisfy_the_restricted_level(namespace: str, image: str, tmp_path: Path) -> None:
    """Enforced for this test; and a pod that does not satisfy it is refused, so the check can fail."""
    experiment = built(tmp_path / "overlay", ("models-claim", "shared-memory"))
    job = trial_job(experiment, "restricted", namespace, image, *FEW, wrapped=True)
    label = "pod-security.kubernetes.io/enforce"
    kubectl("label", "namespace", namespace, f"{label}=restricted", "--overwrite")
    try:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "restricted"}, **job["spec"]["template"]}
        pod["metadata"] = {"name": "restricted"}
        kubectl("create", "-n", namespace, "--dry-run=server", "-f", "-", given=json.dumps(pod))
        del pod["spec"]["containers"][0]["securityContext"]
        (tmp_path / "pod.json").write_text(json.dumps(pod))
        assert not succeeds("create", "-n", namespace, "--dry-run=server", "-f", str(tmp_path / "pod.json"))
    finally:
        kubectl("label", "namespace", namespace, f"{label}=baseline", "--overwrite")


def test_a_deleted_pod_saves_and_the_next_goes_on_from_there(
    namespace: str, image: str, data: Path, tmp_path: Path
) -> None:
    """As spot nodes do it: the pod is evicted in the middle, and its Job makes another."""
    experiment = built(tmp_path / "overlay", ("spot", "models-claim"))
    arguments = ("--set=num_steps=200", "--eval_every_n=20", "--seed=1")
    with running(
        namespace, experiment, trial_job(experiment, "moved", namespace, image, *arguments, wrapped=True)
    ) as job:
        first = wait_for("a pod", lambda: pods(namespace, job))[0]["metadata"]["name"]
        earlier = wait_for("its first metrics", lambda: _metric_lines(namespace, first))
        evict(namespace, first)
        second = wait_for(
            "the next pod",
            lambda: [name for each in pods(namespace, job) if (name := each["metadata"]["name"]) != first],
        )[0]
        wait_for("what it prints first", lambda: _started(namespace, second))
        said = log(namespace, second, "repeat")
        assert ended(namespace, job) == "Complete"
        whole = log(namespace, second, "repeat")
    assert earlier[0] in said
    assert "going on from step" in whole
    assert "training from step 0" not in whole
    assert len({line.split()[0] for line in whole.splitlines() if " mAP=" in line}) == 10


@pytest.fixture
def bucket(cluster: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    """The address of a bucket server that pods reach, and a bucket `drones`."""
    addresses = kubectl_json("get", "nodes")["items"][0]["status"]["addresses"]
    node = next(each["address"] for each in addresses if each["type"] == "InternalIP")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((node, 9))  # sends nothing: tells the address by which the node knows this machine
        host = way.getsockname()[0]
    with serving(host) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        yield address, client().create_bucket("drones")


def test_a_trial_whose_every_path_is_in_a_bucket_goes_on_in_another_pod(
    namespace: str, image: str, data: Path, bucket: tuple[str, Any], tmp_path: Path
) -> None:
    """No volume is shared by the two pods: what the first one saved comes back from the bucket."""
    address, drones = bucket
    upload(drones, data, "data")
    experiment = built(tmp_path / "overlay", ("spot",))
    arguments = ("--set=num_steps=200", "--eval_every_n=20", "--seed=1")
    job = trial_job(experiment, "bucket", namespace, image, *arguments, wrapped=True)
    container = job["spec"]["template"]["spec"]["containers"][0]
    line = container["args"][-1].replace("=/data/", "=gs://drones/data/")
    container["args"][-1] = line.replace("--model_dir=/model", f"--model_dir={PLACE}")
    stop = container["lifecycle"]["preStop"]["exec"]["command"]
    container["lifecycle"]["preStop"]["exec"]["command"] = [each.replace("/model", PLACE) for each in stop]
    container.setdefault("env", []).extend(
        {"name": name, "value": value}
        for name, value in (("STORAGE_EMULATOR_HOST", address), ("BOXTUNE_CACHE", "/tmp/cache"))
    )
    with running(namespace, experiment, job) as name:
        first = wait_for("a pod", lambda: pods(namespace, name))[0]["metadata"]["name"]
        wait_for("its first metrics", lambda: _metric_lines(namespace, first))
        evict(namespace, first)
        second = wait_for(
            "the next pod",
            lambda: [found for each in pods(namespace, name) if (found := each["metadata"]["name"]) != first],
        )[0]
        wait_for("what it prints first", lambda: _started(namespace, second))
        assert ended(namespace, name) == "Complete", _so_far(namespace, second)
        whole = log(namespace, second, "repeat")
    assert "training from step 0" not in whole
    left = {blob.name.removeprefix("runs/bucket/") for blob in drones.list_blobs(prefix="runs/bucket/")}
    assert {"pipeline.config", "metrics.json", "trial.json", "checkpoint", "ckpt-200.index"} <= left
    assert len(json.loads(drones.blob("runs/bucket/metrics.json").download_as_bytes())) == 10


def _metric_lines(namespace: str, pod: str) -> list[str]:
    return [line for line in _so_far(namespace, pod).splitlines() if " mAP=" in line]


def _started(namespace: str, pod: str) -> bool:
    return bool(_metric_lines(namespace, pod)) and "going on from" in _so_far(namespace, pod)


def _so_far(namespace: str, pod: str) -> str:
    done = subprocess.run(
        ["kubectl", "logs", "-n", namespace, pod, "-c", "repeat"], capture_output=True, text=True, check=False
    )
    return done.stdout


def test_too_small_a_memory_limit_is_said_so(namespace: str, image: str, data: Path, tmp_path: Path) -> None:
    experiment = built(tmp_path / "overlay", ())
    job = trial_job(experiment, "small", namespace, image, *FEW, wrapped=True, limits={"memory": "300Mi"})
    with running(namespace, experiment, job) as name:
        state = wait_for(
            "the pod's end",
            lambda: (found := _state(namespace, name)).failed and found,
        )
        assert "out of memory" in state.reason or "memory ran out" in state.reason, state


def test_a_pod_and_a_container_here_give_the_same_config_and_metrics(
    namespace: str, image: str, data: Path, tmp_path: Path
) -> None:
    if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode:
        pytest.skip("no docker here that has the image")
    experiment = built(tmp_path / "overlay", ("models-claim",))
    arguments = (*FEW, "--seed=1", "--deterministic")
    with running(namespace, experiment, trial_job(experiment, "same", namespace, image, *arguments)) as name:
        assert ended(namespace, name) == "Complete"
        there = log(namespace, pods(namespace, name)[0]["metadata"]["name"])
    here = HOST_FOLDER / "here"  # pytest's own folders are closed to others
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(data, here / "data")
    for folder in ("model", "config"):
        (here / folder).mkdir()
    (here / "data").chmod(0o755)
    (here / "model").chmod(0o777)
    for maps in experiment.config_maps.values():
        for file, text in maps.items():
            (here / "config" / file).write_text(text)
    job = trial_job(experiment, "same", namespace, image, *arguments)
    container = job["spec"]["template"]["spec"]["containers"][0]
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "--user=4711",
         *(f"--volume={here / name}:/{name}" for name in ("data", "model", "config")), image, *container["args"]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert _values(done.stdout) == _values(there)
    mine = json.loads((here / "model" / "trial.json").read_text())
    assert mine["assignments"]["batch_size"] == ASSIGNMENTS["batch_size"]
    on_node = HOST_FOLDER / "boxtune-models" / "same"
    if on_node.is_dir():  # this machine is the node
        assert json.loads((on_node / "trial.json").read_text())["config_digest"] == mine["config_digest"]


def _values(text: str) -> dict[str, str]:
    """Every metric but the speed."""
    lines = [line.split(" ", 1)[1] for line in text.splitlines() if line.count(" ") == 1 and "=" in line]
    return {name: value for name, _, value in (line.partition("=") for line in lines) if "per_second" not in name}
