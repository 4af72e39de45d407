"""What the tests on a cluster share: the current kubeconfig's cluster, a namespace of manifests/base, the image, data.

The image is built here, by plain docker, unless BOXTUNE_IMAGE names one that the cluster has; BOXTUNE_LOAD is the
command that brings an image to the cluster's nodes (`kind load docker-image --name boxtune`).
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.e2e.kubectl import kubectl, kubectl_json, succeeds
from tests.e2e.pipeline_store import BUCKET, store_reached
from trial_entry.storage.folders import upload_folder

NAMESPACE = "boxtune-e2e"
HOST_FOLDER = Path("/var/tmp/boxtune-e2e")  # on the node, which here is this machine
CLAIMS = ("boxtune-data", "boxtune-models")
DEMO = f"{BUCKET}/boxtune-e2e/data"  # in the pipelines' object store


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them need a cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def cluster() -> None:
    """A cluster answers."""
    if not succeeds("version", "--request-timeout=10s"):
        pytest.skip("no cluster: kubectl version fails (set KUBECONFIG)")


@pytest.fixture(scope="session")
def katib(cluster: None) -> None:
    """Katib answers."""
    if not succeeds("get", "crd", "experiments.kubeflow.org"):
        pytest.skip("no Katib on this cluster")


@pytest.fixture(scope="session")
def image(cluster: None) -> str:
    """The trial's image for processors, on the cluster."""
    given = os.environ.get("BOXTUNE_IMAGE")
    if given:
        return given
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.skip("no docker to build the image with, and BOXTUNE_IMAGE names none")
    load = os.environ.get("BOXTUNE_LOAD")
    if load is None:
        pytest.skip("BOXTUNE_LOAD does not say how an image gets to the cluster's nodes")
    tag = "boxtune-trial:e2e"
    subprocess.run([REPOSITORY / "scripts" / "image", "cpu", tag], check=True)
    subprocess.run([*shlex.split(load), tag], check=True)
    return tag


@pytest.fixture(scope="session")
def pipeline_image(image: str) -> str:
    """The pipelines' image for processors, made of that one, on the cluster."""
    given = os.environ.get("BOXTUNE_PIPELINE_IMAGE")
    if given:
        return given
    tag = "boxtune-pipeline:e2e"
    build = {**os.environ, "BOXTUNE_TRIAL": image}
    subprocess.run([REPOSITORY / "scripts" / "image", "pipeline", "cpu", tag], check=True, env=build)
    subprocess.run([*shlex.split(os.environ["BOXTUNE_LOAD"]), tag], check=True)
    return tag


@pytest.fixture(scope="session")
def demo_in_store(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo's data in the pipelines' object store, by its URL."""
    from boxtune.demo.digits import DigitsSpec, make_digits

    folder = tmp_path_factory.mktemp("data")
    with store_reached():
        make_digits(folder, DigitsSpec(train_images=64, validation_images=24, test_images=24))
        upload_folder(folder, f"s3://{DEMO}")
    return f"minio://{DEMO}"


@pytest.fixture(scope="session")
def namespace(cluster: None) -> Iterator[str]:
    """manifests/base under a name of its own, with folders of the node behind its claims where nobody provides any."""
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": [os.path.relpath(REPOSITORY / "manifests" / "base", HOST_FOLDER)],
    }
    HOST_FOLDER.mkdir(exist_ok=True)
    (HOST_FOLDER / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    kubectl("apply", "-f", "-", given=kubectl("kustomize", "--load-restrictor=LoadRestrictionsNone", str(HOST_FOLDER)))
    if not kubectl_json("get", "storageclass")["items"]:
        kubectl("apply", "-f", "-", given=yaml.safe_dump_all(map(_volume, CLAIMS)))
    yield NAMESPACE
    kubectl("delete", "namespace", NAMESPACE, "--wait=true")
    kubectl("delete", "persistentvolume", *(f"{NAMESPACE}-{claim}" for claim in CLAIMS), "--ignore-not-found")


def _volume(claim: str) -> dict[str, object]:
    folder = HOST_FOLDER / claim
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)  # a hostPath knows no fsGroup
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{NAMESPACE}-{claim}"},
        "spec": {
            "capacity": {"storage": "100Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": {"namespace": NAMESPACE, "name": claim},
            "hostPath": {"path": str(folder)},
        },
    }


@pytest.fixture(scope="session")
def data(namespace: str, image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's data: the folder here, and copied to the claim boxtune-data."""
    from boxtune.demo.digits import DigitsSpec, make_digits

    folder = tmp_path_factory.mktemp("data")
    make_digits(folder, DigitsSpec(train_images=64, validation_images=24, test_images=24))
    subprocess.run([REPOSITORY / "kind-cluster" / "put-data", str(folder), namespace, image], check=True)
    return folder
