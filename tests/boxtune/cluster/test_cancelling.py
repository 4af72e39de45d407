"""Ending an Experiment before its end: what goes with it, what stays, and when it is gone."""

from __future__ import annotations

import threading

import pytest

from boxtune.cluster import cancelling
from boxtune.cluster.cancelling import cancel, wait_until_gone
from boxtune.cluster.connection import Cluster
from boxtune.cluster.submission import submit
from boxtune.errors import ClusterError
from boxtune.experiment.experiment import Experiment
from tests.boxtune.cluster.api import CORE, JOBS, KATIB, Api

LABELS = {"labels": {"katib.kubeflow.org/experiment": "quick-start"}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks are quick."""
    monkeypatch.setattr(cancelling, "_LOOK_SECONDS", 0.05)


def test_the_experiment_its_baseline_and_what_was_submitted_with_it_go(
    api: Api, cluster: Cluster, quick_start: Experiment
) -> None:
    submit(cluster, quick_start, True, False)
    (name,) = quick_start.config_maps
    assert cancel(cluster, "quick-start") == [
        "experiment/quick-start deleted, and its trials",
        "job/quick-start-baseline deleted",
        f"configmap/{name} deleted",
    ]
    assert not [path for path in api.objects if path.startswith((KATIB, JOBS, f"{CORE}/configmaps"))]


def test_a_config_map_that_somebody_else_made_or_uses_stays(
    api: Api, cluster: Cluster, quick_start: Experiment
) -> None:
    (name,) = quick_start.config_maps
    api.put(f"{CORE}/configmaps", name, data=dict(quick_start.config_maps[name]))  # by kubectl apply
    submit(cluster, quick_start, False, False)
    assert cancel(cluster, "quick-start") == ["experiment/quick-start deleted, and its trials"]
    del api.objects[f"{CORE}/configmaps/{name}"]
    submit(cluster, quick_start, False, False)
    api.put(f"{KATIB}/experiments", "other", spec=quick_start.raw["spec"])
    assert cancel(cluster, "quick-start") == ["experiment/quick-start deleted, and its trials"]
    assert cancel(cluster, "other")[1:] == [f"configmap/{name} deleted"]


def test_who_may_not_delete_config_maps_is_told(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    (name,) = quick_start.config_maps
    submit(cluster, quick_start, False, False)
    api.refuse("DELETE", f"{CORE}/configmaps", 403, "configmaps is forbidden")
    assert cancel(cluster, "quick-start")[1].startswith(f"configmap/{name} stays: no rights: configmaps is forbidden")


def test_it_is_gone_when_its_trials_and_pods_are(api: Api, cluster: Cluster) -> None:
    api.put(f"{KATIB}/trials", "quick-start-a", metadata=LABELS)
    pod = {"spec": {"containers": [], "terminationGracePeriodSeconds": 30}}
    of_trial = {"labels": {**LABELS["labels"], "katib.kubeflow.org/trial": "quick-start-a"}}
    api.put(f"{CORE}/pods", "pod-1", metadata=of_trial, **pod)
    api.put(f"{CORE}/pods", "pod-2", metadata=LABELS, **pod)  # the suggestion service's
    for seconds, path in ((0.5, f"{KATIB}/trials/quick-start-a"), (1.0, f"{CORE}/pods/pod-1")):
        threading.Timer(seconds, api.objects.pop, (path,)).start()
    said: list[str] = []
    wait_until_gone(cluster, "quick-start", said.append)
    assert said == ["waiting until the Trial quick-start-a is gone", "waiting until the Pod pod-1 is gone"]


def test_what_stays_is_named(api: Api, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "_GONE_SECONDS", 0.3)
    api.put(f"{KATIB}/trials", "quick-start-a", metadata=LABELS)
    with pytest.raises(
        ClusterError, match=r"was deleted, and the Trial quick-start-a is still in the namespace drones"
    ):
        wait_until_gone(cluster, "quick-start", lambda _: None)


def test_one_that_is_not_there(api: Api, cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match=r"^other: no Experiment in the namespace drones"):
        cancel(cluster, "other")
