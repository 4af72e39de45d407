"""Files that a trial's pod carries itself: ConfigMaps of the Experiment's file become annotations of the pod, which a
downwardAPI volume shows as the same files.

For those who may create Experiments and no ConfigMaps, such as a pipeline's step. No init container has to write them,
they are text that `kubectl describe` shows, and whoever reads the Experiment reads them with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from boxtune.errors import ClusterError
from boxtune.experiment.editing import edited, pod_of
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.mounts import config_map_files
from boxtune.experiment.source import Json
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


def _replace(pod: dict[str, Json], volumes: Mapping[str, dict[str, Json]], texts: Mapping[str, str]) -> None:
    metadata = pod.setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **texts}
    pod["spec"]["volumes"] = [volumes.get(each["name"], each) for each in pod["spec"]["volumes"]]
