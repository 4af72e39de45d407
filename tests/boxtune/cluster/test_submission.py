"""What submitting looks at, creates, leaves, and refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from boxtune.cluster.connection import Cluster
from boxtune.cluster.submission import submit, warnings
from boxtune.errors import ClusterError
from boxtune.experiment.experiment import Experiment, parse_experiment
from tests.boxtune.cluster.api import CORE, DEPLOYMENTS, JOBS, KATIB, NAMESPACE, Api

EXPERIMENT = f"{KATIB}/experiments/quick-start"


def changed(experiment: Experiment, **spec: Any) -> Experiment:
    raw = copy.deepcopy(dict(experiment.raw))
    raw["spec"].update(spec)
    return parse_experiment(raw, experiment.config_maps)


def with_gpus(experiment: Experiment, count: int) -> Experiment:
    raw = copy.deepcopy(dict(experiment.raw))
    container = raw["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["limits"]["nvidia.com/gpu"] = count
    return parse_experiment(raw, experiment.config_maps)


def created(api: Api) -> list[str]:
    there = ("/api/v1/namespaces", f"{CORE}/persistentvolumeclaims", "/api/v1/nodes")
    return [path for path in api.objects if path.rpartition("/")[0] not in there]


def test_the_config_map_comes_first_and_the_same_again_changes_nothing(
    api: Api, cluster: Cluster, quick_start: Experiment
) -> None:
    (name,) = quick_start.config_maps
    assert submit(cluster, quick_start, False, False) == [f"configmap/{name} created", "experiment/quick-start created"]
    assert created(api) == [f"{CORE}/configmaps/{name}", EXPERIMENT]
    assert api.objects[EXPERIMENT]["metadata"]["namespace"] == NAMESPACE
    api.objects[EXPERIMENT]["spec"]["resumePolicy"] = "Never"  # as Katib's defaults do
    assert submit(cluster, quick_start, False, False) == [
        f"configmap/{name} is there already",
        "experiment/quick-start is there already, the same",
    ]


@pytest.mark.parametrize("spec", [{"maxTrialCount": 3}, {"parameters": []}])
def test_another_experiment_of_the_name_is_refused(
    api: Api, cluster: Cluster, quick_start: Experiment, spec: dict[str, Any]
) -> None:
    submit(cluster, quick_start, False, False)
    before = copy.deepcopy(api.objects)
    with pytest.raises(ClusterError, match=r"another Experiment quick-start .*boxtune cancel quick-start"):
        submit(cluster, changed(quick_start, **spec), False, False)
    assert api.objects == before


def test_another_config_map_of_the_name_is_refused(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    (name,) = quick_start.config_maps
    api.put(f"{CORE}/configmaps", name, data={"pipeline.config": "model {}"})
    with pytest.raises(ClusterError, match=rf"ConfigMap {name} with other contents"):
        submit(cluster, quick_start, False, False)
    assert EXPERIMENT not in api.objects


def test_a_dry_run_asks_the_server_and_keeps_nothing(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    assert len(submit(cluster, quick_start, True, True)) == 3
    assert created(api) == []
    assert f"POST {KATIB}/experiments" in api.asked


def test_the_baseline_is_a_job_with_the_base_config_s_own_values(
    api: Api, cluster: Cluster, quick_start: Experiment
) -> None:
    assert "job/quick-start-baseline created" in submit(cluster, quick_start, True, False)
    job = api.objects[f"{JOBS}/quick-start-baseline"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert not any("${" in text for text in container["args"])
    assert "job/quick-start-baseline is there already" in submit(cluster, quick_start, True, False)


def test_what_katib_refuses_is_said(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    api.refuse("POST", KATIB, 403, 'admission webhook "validator" denied the request: no')
    with pytest.raises(ClusterError, match=r"denied the request: no"):
        submit(cluster, quick_start, False, False)


def test_a_namespace_that_is_not_there_or_collects_nothing(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    namespace = api.objects[f"/api/v1/namespaces/{NAMESPACE}"]
    namespace["metadata"]["labels"] = {}
    with pytest.raises(ClusterError, match=rf"kubectl label namespace {NAMESPACE} .*injection=enabled"):
        submit(cluster, quick_start, False, False)
    del api.objects[f"/api/v1/namespaces/{NAMESPACE}"]
    with pytest.raises(ClusterError, match=rf"the namespace {NAMESPACE} does not exist"):
        submit(cluster, quick_start, False, False)
    assert created(api) == []


def test_a_claim_that_is_not_there(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    del api.objects[f"{CORE}/persistentvolumeclaims/boxtune-data"]
    with pytest.raises(ClusterError, match=r"volume data: .* has no PersistentVolumeClaim boxtune-data"):
        submit(cluster, quick_start, False, False)
    assert created(api) == []


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("somewhere:5000/katib-controller:v0.17.0", "Katib v0.17.0 runs here; Boxtune is made for v0.19"),
        ("somewhere:5000/katib-controller:v0.19.1", ""),
        ("somewhere:5000/katib-controller:latest", ""),
    ],
)
def test_another_katib_is_warned_of(api: Api, cluster: Cluster, quick_start: Experiment, image: str, says: str) -> None:
    api.put(
        DEPLOYMENTS,
        "katib-controller",
        metadata={"labels": {"katib.kubeflow.org/component": "controller"}},
        spec={
            "selector": {},
            "template": {"metadata": {}, "spec": {"containers": [{"name": "katib-controller", "image": image}]}},
        },
    )
    assert " ".join(warnings(cluster, quick_start)).startswith(says)
    assert bool(list(warnings(cluster, quick_start))) == bool(says)


def put_node(api: Api, name: str, spec: dict[str, Any] | None = None, **allocatable: str) -> None:
    amounts = {key.replace("gpu", "nvidia.com/gpu").replace("disk", "ephemeral-storage"): value
               for key, value in {"cpu": "8", "memory": "32Gi", "disk": "100Gi", **allocatable}.items()}  # fmt: skip
    labels = {"labels": {"kind": name}}
    api.put("/api/v1/nodes", name, metadata=labels, spec=spec or {}, status={"allocatable": amounts})


def asking(experiment: Experiment, pod: dict[str, Any] | None = None, **requests: str) -> Experiment:
    """Its trials ask for these."""
    raw = copy.deepcopy(dict(experiment.raw))
    spec = raw["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    spec |= pod or {}
    spec["containers"][0]["resources"] = {"requests": requests}
    return parse_experiment(raw, experiment.config_maps)


def test_gpus_that_no_node_has_are_warned_of(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    for name, count in (("a", "1"), ("b", "2")):
        put_node(api, name, gpu=count)
    assert not list(warnings(cluster, with_gpus(quick_start, 2)))
    assert [each.partition(":")[0] for each in warnings(cluster, with_gpus(quick_start, 4))] == [
        "trials ask for 4 nvidia.com/gpu, and no node has more than 2 nvidia.com/gpu"
    ]
    api.refuse("GET", "/api/v1/nodes", 403, "nodes is forbidden")
    assert not list(warnings(cluster, with_gpus(quick_start, 4)))  # who may not look is told nothing


@pytest.mark.parametrize(
    ("requests", "pod", "says"),
    [
        ({"cpu": "1900m", "memory": "6Gi"}, {}, ""),
        # Katib's collector asks for 50m of its own: two of two processors are too many
        ({"cpu": "2", "memory": "6Gi"}, {}, "trials ask for 2.05 cpu, and no node has more than 2 cpu"),
        ({"memory": "8Gi"}, {}, "trials ask for 8.01Gi of memory, and no node has more than 7.5Gi of memory"),
        ({"ephemeral-storage": "20G"}, {}, "trials ask for 19.1Gi of ephemeral-storage, and no node has "),
        ({"cpu": "1"}, {"nodeSelector": {"kind": "none"}}, "no node takes the trials' pods: none has the labels"),
        ({"cpu": "7"}, {"tolerations": [{"key": "gpu", "operator": "Exists"}]}, ""),
        ({"cpu": "7"}, {"tolerations": [{"key": "gpu", "value": "other"}]}, "trials ask for 7.05 cpu, and no node th"),
        ({"cpu": "1", "example.com/fpga": "1"}, {}, "trials ask for 1 example.com/fpga, and no node has more than 0"),
    ],
)  # fmt: skip
def test_what_fits_no_node_is_said(
    api: Api, cluster: Cluster, quick_start: Experiment, requests: dict[str, str], pod: dict[str, Any], says: str
) -> None:
    put_node(api, "small", cpu="2", memory="7.5Gi", disk="10Gi")
    tainted = any("toleration" in each for each in pod)
    if tainted:
        put_node(api, "large", {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]})
    (said,) = list(warnings(cluster, asking(quick_start, pod, **requests))) or [""]
    assert said.startswith(says)
    assert bool(said) == bool(says)


def test_an_init_container_counts_alone_and_no_node_has_all_of_it(
    api: Api, cluster: Cluster, quick_start: Experiment
) -> None:
    put_node(api, "thin", cpu="8", memory="4Gi")
    put_node(api, "wide", cpu="2", memory="32Gi")
    first = {"name": "first", "image": "i", "resources": {"requests": {"memory": "16Gi"}}}
    (said,) = warnings(cluster, asking(quick_start, {"initContainers": [first]}, cpu="4", memory="1Gi"))
    assert said.startswith("trials ask for 4.05 cpu and 16Gi of memory")
    assert "together, and no node has all of it" in said


def test_a_claim_without_a_volume_is_said_before(api: Api, cluster: Cluster, quick_start: Experiment) -> None:
    api.put(f"{CORE}/persistentvolumeclaims", "boxtune-data", status={"phase": "Pending"})
    assert not list(warnings(cluster, quick_start))
    about = {"name": "boxtune-data", "kind": "PersistentVolumeClaim"}
    said = "no persistent volumes available for this claim and no storage class is set"
    api.put(f"{CORE}/events", "e", involvedObject=about, reason="FailedBinding", message=said, type="Normal")
    (warning,) = warnings(cluster, quick_start)
    assert warning.startswith(f"volume data: the claim boxtune-data has no volume: {said}; the cluster needs a default")
    api.put(f"{CORE}/events", "e", involvedObject=about, reason="WaitForFirstConsumer", message="waits", type="Normal")
    assert not list(warnings(cluster, quick_start))
