"""A cluster with nothing but a namespace and claims, and the quick-start for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.config import kube_config

from boxtune.cluster.connection import Cluster, connect
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.loading import load_experiment
from tests.boxtune.cluster.api import CORE, NAMESPACE, Api
from tests.conftest import EXPERIMENTS


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """What KUBECONFIG leads to."""
    api = Api()
    api.put(
        "/api/v1/namespaces",
        NAMESPACE,
        metadata={"labels": {"katib.kubeflow.org/metrics-collector-injection": "enabled"}},
    )
    api.put(f"{CORE}/persistentvolumeclaims", "boxtune-data", status={"phase": "Bound"})
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(api.kubeconfig(tmp_path)))  # KUBECONFIG's
    yield api
    api.cut()


@pytest.fixture
def cluster(api: Api) -> Cluster:
    """A connection to it."""
    return connect(None, None)


@pytest.fixture(scope="session")
def quick_start() -> Experiment:
    """The Experiment of the README."""
    return load_experiment(EXPERIMENTS / "quick-start.yaml")
