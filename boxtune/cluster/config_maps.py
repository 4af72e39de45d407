"""Cluster's ConfigMaps: which ones trials mount, and which of them Boxtune made and may take away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from boxtune.cluster.connection import GROUP, VERSION, Cluster, optional, speaking_plainly
from boxtune.errors import ClusterError
from boxtune.experiment.source import Json, JsonObject

MADE = {"app.kubernetes.io/managed-by": "boxtune"}  # labels of those that `boxtune submit` made


def config_map_names(experiment: JsonObject) -> tuple[str, ...]:
    """Names of the ConfigMaps that the trials of an Experiment mount as volumes, whatever kind of job they are."""
    template = (experiment["spec"].get("trialTemplate") or {}).get("trialSpec") or {}
    return tuple(dict.fromkeys(_volumes(template)))


def _volumes(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        source = value.get("configMap")
        if isinstance(source, dict) and isinstance(source.get("name"), str):
            yield source["name"]
        for inner in value.values():
            yield from _volumes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _volumes(inner)


def made_config_maps(cluster: Cluster, experiment: JsonObject) -> list[str]:
    """Those that `boxtune submit` made for this Experiment, and that no other of the namespace names.

    Raises:
        ClusterError: the cluster does not answer.
    """
    made = [name for name in config_map_names(experiment) if _is_made(cluster, name)]
    if not made:
        return []
    with speaking_plainly(cluster):
        found = cluster.custom.list_namespaced_custom_object(GROUP, VERSION, cluster.namespace, "experiments")
    own = experiment["metadata"]["name"]
    others = json.dumps([each["spec"] for each in found["items"] if each["metadata"]["name"] != own])
    return [name for name in made if json.dumps(name) not in others]


def _is_made(cluster: Cluster, name: str) -> bool:
    try:
        with speaking_plainly(cluster):
            found = optional(partial(cluster.core.read_namespaced_config_map, name, cluster.namespace))
    except ClusterError:
        return False  # who may not look takes nothing away
    labels = (found.metadata.labels or {}) if found is not None else {}
    return all(labels.get(key) == value for key, value in MADE.items())


def delete_config_map(cluster: Cluster, name: str) -> str:
    """Take a ConfigMap away; returns a line that says so, or why it stays."""
    try:
        with speaking_plainly(cluster):
            optional(partial(cluster.core.delete_namespaced_config_map, name, cluster.namespace))
    except ClusterError as problem:
        return f"configmap/{name} stays: {problem}"
    return f"configmap/{name} deleted"
