"""Files that a trial's pod carries itself: ConfigMaps of the Experiment's file become annotations of the pod, which a
downwardAPI volume shows as the same files.

For those who may create Experiments and no ConfigMaps, such as a pipeline's step. No init container has to write them,
they are text that `kubectl describe` shows, and whoever reads the Experiment reads them with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from boxtune.cluster.connection import Cluster, optional, speaking_plainly
from boxtune.errors import ClusterError
from boxtune.experiment.editing import edited, pod_of
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.mounts import config_map_files
from boxtune.experiment.source import Json, JsonObject
from boxtune.experiment.trial_command import TrialCommand

_ANNOTATION = "boxtune/file-{}"
_MOST_BYTES = 200 * 1024  # Kubernetes: 256 KiB for all annotations of an object together


def with_carried_files(experiment: Experiment) -> Experiment:
    """The Experiment, whose pods carry what they mounted of its ConfigMaps; other ConfigMaps stay as they are.

    Raises:
        ClusterError: they are too large for that.
    """
    texts: dict[str, str] = {}
    volumes: dict[str, dict[str, Json]] = {}
    for volume in TrialCommand(experiment.template).pod.volumes or ():
        source = volume.config_map
        data = experiment.config_maps.get(source.name or "") if source is not None else None
        if source is None or data is None:
            continue
        items = []
        for key, path in config_map_files(source, data).items():
            name = _ANNOTATION.format(len(texts))
            texts[name] = data.get(key, "")
            items.append({"path": path, "fieldRef": {"fieldPath": f"metadata.annotations['{name}']"}})
        volumes[volume.name] = {"name": volume.name, "downwardAPI": {"items": items}}
    size = sum(len(text.encode()) for text in texts.values())
    if size > _MOST_BYTES:
        raise ClusterError(
            f"the ConfigMaps of the Experiment hold {size / 1024:.0f} KiB, and a pod can carry {_MOST_BYTES // 1024}; "
            "leave out what the trials do not read"
        )
    return edited(experiment, lambda raw: _replace(pod_of(raw), volumes, texts)) if volumes else experiment


def refuse_uncarried(cluster: Cluster, experiment: Experiment) -> None:
    """See that the namespace has those of the file's ConfigMaps that no pod can carry: variables, and projected files.

    Raises:
        ClusterError: it does not have one, or another of its name; it may not be looked up.
    """
    for name, what in _uncarried(pod_of(dict(experiment.raw))["spec"]):
        data = experiment.config_maps.get(name)
        if data is None:
            continue
        with speaking_plainly(cluster):
            there = optional(partial(cluster.core.read_namespaced_config_map, name, cluster.namespace))
        if there is None or (there.data or {}) != data:
            raise ClusterError(
                f"the trials take the ConfigMap {name} of the Experiment's file as {what}, which a pod cannot carry, "
                f"and the namespace {cluster.namespace} does not have it so; make it there, or mount it as a volume"
            )


def _uncarried(spec: JsonObject) -> Iterator[tuple[str, str]]:
    """Names of ConfigMaps that a pod refers to otherwise than by a volume of its own, and as what."""
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for each in container.get("envFrom") or ():
            if each.get("configMapRef"):
                yield str(each["configMapRef"].get("name")), f"variables of the container {container['name']} (envFrom)"
        for each in container.get("env") or ():
            key = (each.get("valueFrom") or {}).get("configMapKeyRef")
            if key:
                yield str(key.get("name")), f"the variable {each['name']} of the container {container['name']}"
    for volume in spec.get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            if source.get("configMap"):
                yield str(source["configMap"].get("name")), f"a part of the projected volume {volume['name']}"


def _replace(pod: dict[str, Json], volumes: Mapping[str, dict[str, Json]], texts: Mapping[str, str]) -> None:
    metadata = pod.setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **texts}
    pod["spec"]["volumes"] = [volumes.get(each["name"], each) for each in pod["spec"]["volumes"]]
