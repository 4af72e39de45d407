"""What becomes of an Experiment whose trials fetch their data and carry their config."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boxtune.cluster.baseline import baseline_job
from boxtune.cluster.carried_files import refuse_uncarried, with_carried_files
from boxtune.cluster.connection import Cluster
from boxtune.cluster.trial_data import DataSource, with_data
from boxtune.errors import ClusterError
from boxtune.experiment.editing import edited, pod_of
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.experiment.trial_config import trial_config
from boxtune.experiment.validation import problems
from tests.boxtune.cluster.api import CORE, Api
from tests.experiments import shell_experiment
from trial_entry.contract.requests import FetchRequest, parse
from trial_entry.storage.urls import Remote

SECRET = {"name": "AWS_ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {"name": "store", "key": "accesskey"}}}


def pod(experiment: Experiment) -> dict[str, Any]:
    return dict(experiment.raw["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"])


def test_the_volume_is_filled_by_the_trial_s_own_image(quick_start: Experiment) -> None:
    before = copy.deepcopy(quick_start.raw)
    made = with_data(quick_start, "data", DataSource("minio://bucket/d", "0f"), [SECRET])
    assert quick_start.raw == before
    assert not list(problems(made.raw, {}))
    trial = pod(made)["containers"][0]
    (fetch,) = pod(made)["initContainers"]
    assert {"name": "data", "emptyDir": {}} in pod(made)["volumes"]
    assert trial == pod(quick_start)["containers"][0]
    for same in ("image", "securityContext"):
        assert fetch[same] == trial[same]
    assert fetch["env"] == [SECRET]
    assert fetch["name"] == "fetch-data"
    assert fetch["command"] == ["python", "-m", "trial_entry"]
    assert parse(fetch["args"]) == FetchRequest(
        source=Remote("minio://bucket/d"), folder=Path("/boxtune/data"), digest="0f"
    )
    assert {"name": "data", "mountPath": "/boxtune/data"} in fetch["volumeMounts"]
    assert all(each["name"] != "data" for each in fetch["volumeMounts"][:-1])
    assert with_data(quick_start, "boxtune-data", DataSource("minio://bucket/d", "0f"), [SECRET]).raw == made.raw


def test_what_the_trial_has_of_credentials_the_init_container_has_too(quick_start: Experiment) -> None:
    def change(raw: dict[str, Any]) -> None:
        container = pod_of(raw)["spec"]["containers"][0]
        container["env"] = [
            {"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": "/gcs/key.json"},
            {"name": "AWS_ACCESS_KEY_ID", "value": "other"},
            {"name": "MY_RATE", "value": "${trialParameters.learningRate}"},
        ]
        container["volumeMounts"] += [
            {"name": "gcs", "mountPath": "/gcs", "readOnly": True},
            {"name": "model", "mountPath": "/models", "subPath": "${trialParameters.learningRate}"},
        ]
        pod_of(raw)["spec"]["volumes"].append({"name": "gcs", "secret": {"secretName": "boxtune-gcs"}})

    made = with_data(edited(quick_start, change), "data", DataSource("gs://bucket/d"), [SECRET], "shared")
    (fetch,) = pod(made)["initContainers"]
    assert [each["name"] for each in fetch["env"]] == ["AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"]
    assert fetch["env"][0] == SECRET
    mounts = {each["mountPath"]: each["name"] for each in fetch["volumeMounts"]}
    assert mounts["/gcs"] == "gcs"
    assert mounts["/boxtune/cache"] == "boxtune-cache"
    assert "/models" not in mounts
    assert {"name": "boxtune-cache", "persistentVolumeClaim": {"claimName": "shared"}} in pod(made)["volumes"]
    request = parse(fetch["args"])
    assert isinstance(request, FetchRequest)
    assert (request.cache, request.digest) == (Path("/boxtune/cache"), None)
    assert not list(problems(made.raw, {}))


def test_a_program_whose_words_stand_among_its_arguments(quick_start: Experiment) -> None:
    def change(raw: dict[str, Any]) -> None:
        container = pod_of(raw)["spec"]["containers"][0]
        container |= {"command": ["python"], "args": ["-m", "trial_entry", *container["args"]]}

    made = with_data(edited(quick_start, change), "data", DataSource("gs://bucket/d"))
    assert pod(made)["initContainers"][0]["command"] == ["python", "-m", "trial_entry"]


def test_several_volumes_one_cache(quick_start: Experiment) -> None:
    made = with_data(quick_start, "data", DataSource("gs://bucket/d"), cache_claim="shared")
    made = with_data(made, "model", DataSource("gs://bucket/m"), cache_claim="shared")
    assert [each["name"] for each in pod(made)["initContainers"]] == ["fetch-data", "fetch-model"]
    assert [each["name"] for each in pod(made)["volumes"]].count("boxtune-cache") == 1
    assert not list(problems(made.raw, {}))


def test_data_are_there_before_the_trial_s_own_init_containers_begin(quick_start: Experiment) -> None:
    def change(raw: dict[str, Any]) -> None:
        mounts = [{"name": "data", "mountPath": "/data"}]
        pod_of(raw)["spec"]["initContainers"] = [
            {"name": "look", "image": "busybox", "command": ["ls", "/data/train.record"], "volumeMounts": mounts},
            {"name": "fetch-more", "image": "busybox", "command": ["true"]},
        ]

    made = with_data(edited(quick_start, change), "data", DataSource("gs://bucket/d"))
    made = with_data(made, "model", DataSource("gs://bucket/m"))
    assert [each["name"] for each in pod(made)["initContainers"]] == ["fetch-data", "fetch-model", "look", "fetch-more"]
    assert not list(problems(made.raw, {}))


def test_what_cannot_be(quick_start: Experiment) -> None:
    with pytest.raises(ClusterError, match="volume records: the trials' pod has no such volume; it has config, data"):
        with_data(quick_start, "records", DataSource("gs://bucket/d"))
    with pytest.raises(ClusterError, match="volume data: /data is a path of this machine, which no pod of a"):
        with_data(quick_start, "data", DataSource("/data"))
    with pytest.raises(ClusterError, match="volume data: s3://: write s3://BUCKET/PREFIX"):
        with_data(quick_start, "data", DataSource("s3://"))
    raw = shell_experiment()
    pod_of(raw)["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    with pytest.raises(ClusterError, match="only trials of python -m trial_entry have a program that fetches gs://b/d"):
        with_data(parse_experiment(raw, {}), "data", DataSource("gs://b/d"))


def test_the_config_is_carried_by_the_pod_and_read_from_it(quick_start: Experiment) -> None:
    made = with_carried_files(quick_start)
    ((name, data),) = quick_start.config_maps.items()
    text = data["pipeline.config"]
    assert not list(problems(made.raw, {}))
    assert name not in json.dumps(made.raw)
    template = pod_of(dict(made.raw))
    assert template["metadata"]["annotations"]["boxtune/file-0"] == text
    assert template["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"
    assert {
        "name": "config",
        "downwardAPI": {
            "items": [{"path": "pipeline.config", "fieldRef": {"fieldPath": "metadata.annotations['boxtune/file-0']"}}]
        },
    } in pod(made)["volumes"]
    alone = parse_experiment(made.raw, {})  # as whoever reads it from the cluster has it
    read, known = trial_config(alone, {}), trial_config(quick_start, {})
    assert read is not None
    assert known is not None
    assert read.base == known.base
    job = baseline_job(alone, "drones")
    assert job["metadata"]["annotations"] == baseline_job(quick_start, "drones")["metadata"]["annotations"]


def test_config_maps_of_the_cluster_stay_and_large_ones_are_refused(quick_start: Experiment) -> None:
    elsewhere = parse_experiment(quick_start.raw, {})
    assert with_carried_files(elsewhere) is elsewhere
    ((name, data),) = quick_start.config_maps.items()
    large = parse_experiment(quick_start.raw, {name: {**data, "more": "#" * 250_000}})
    with pytest.raises(ClusterError, match=r"the ConfigMaps of the Experiment hold 2.. KiB, and a pod can carry 200"):
        with_carried_files(large)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"envFrom": [{"configMapRef": {"name": "given"}}]}, r"variables of the container trial \(envFrom\)"),
        ({"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "given", "key": "x"}}}]}, "the variable X"),
        ({}, "a part of the projected volume both"),
    ],
)
def test_a_config_map_that_no_pod_can_carry(
    api: Api, cluster: Cluster, quick_start: Experiment, change: dict[str, Any], what: str
) -> None:
    def refer(raw: dict[str, Any]) -> None:
        spec = pod_of(raw)["spec"]
        spec["containers"][0] |= change
        if not change:
            sources = [{"configMap": {"name": "given"}}]
            spec["volumes"].append({"name": "both", "projected": {"sources": sources}})

    asked = edited(quick_start, refer)
    asked = replace(asked, config_maps={**asked.config_maps, "given": {"x": "1"}})
    with pytest.raises(ClusterError, match=f"the trials take the ConfigMap given of the Experiment's file as {what}"):
        refuse_uncarried(cluster, asked)
    api.put(f"{CORE}/configmaps", "given", data={"x": "1"})
    refuse_uncarried(cluster, asked)
    api.put(f"{CORE}/configmaps", "given", data={"x": "2"})
    with pytest.raises(ClusterError, match="does not have it so"):
        refuse_uncarried(cluster, asked)
