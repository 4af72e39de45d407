"""A pod's volumes as folders of this machine, and its mount paths as paths into them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from boxtune.errors import ExperimentError

_STARTS = r"(?:(?<=^)|(?<=[=:,'\"\s]))"
_ENDS = r"(?=$|[/=:,'\"\s])"


class Volumes:
    """Where each volume lies that a pod's container mounts.

    `given` are the user's `NAME=DIR`; a name is the volume's or, for a claim, the claim's.
    """

    def __init__(
        self,
        pod: Mapping[str, Any],
        container: Mapping[str, Any],
        given: Mapping[str, Path],
        config_maps: Mapping[str, Mapping[str, str]],
    ) -> None:
        """
        Args:
            container: the trial's own; what only others mount needs no folder.

        Raises:
            ExperimentError: a volume that needs a folder has none, or a folder is given for no volume.
        """
        self._volumes = {volume["name"]: volume for volume in pod.get("volumes") or ()}
        self._mounts = list(container.get("volumeMounts") or ())
        self._given = folders_by_volume(pod, given)
        self._config_maps = config_maps
        self._filled_by = {
            mount["name"]: first["name"]
            for first in pod.get("initContainers") or ()
            for mount in first.get("volumeMounts") or ()
        }
        mounted = {mount["name"] for mount in self._mounts}
        for name, volume in self._volumes.items():
            if name in mounted:
                self._check(name, volume)

    def _check(self, name: str, volume: Mapping[str, Any]) -> None:
        if "emptyDir" in volume and name in self._filled_by and name not in self._given:
            raise ExperimentError(
                f"volume {name} is filled by the container {self._filled_by[name]}, which a local run leaves out: say "
                f"which folder it is here with --volume {name}=DIR"
            )
        if name in self._given or "emptyDir" in volume or "hostPath" in volume:
            return
        if volume.get("configMap"):
            wanted = volume["configMap"].get("name")
            if wanted not in self._config_maps and not volume["configMap"].get("optional"):
                raise ExperimentError(
                    f"volume {name}: the ConfigMap {wanted} is not in the file (nor in a kustomization beside it); "
                    f"add it, or give its folder with --volume {name}=DIR"
                )
            return
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        what = (
            f"the claim {claim}" if claim else f"a volume of kind {next((key for key in volume if key != 'name'), '?')}"
        )
        raise ExperimentError(f"volume {name} is {what}: say which folder it is here with --volume {name}=DIR")

    def mounts(self, folder: Path) -> dict[PurePosixPath, Path]:
        """Mount path to folder, for the trial that has `folder`; folders are made as needed."""
        for mount in self._mounts:
            if mount.get("subPathExpr"):
                raise ExperimentError(f"volumeMounts: {mount['mountPath']}: subPathExpr is not built for local runs")
        return {
            PurePosixPath(mount["mountPath"]): self._folder(mount["name"], folder) / mount.get("subPath", "")
            for mount in self._mounts
        }

    def _folder(self, name: str, folder: Path) -> Path:
        volume = self._volumes.get(name)
        if volume is None:
            raise ExperimentError(f"volumeMounts: the pod has no volume {name}")
        if name in self._given:
            return self._given[name].resolve()
        if "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        place = folder / "volumes" / name
        place.mkdir(parents=True, exist_ok=True)
        if volume.get("configMap"):
            self._write_config_map(volume["configMap"], place)
        return place

    def _write_config_map(self, source: Mapping[str, Any], place: Path) -> None:
        data = self._config_maps.get(source.get("name", ""), {})
        items = source.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            if item["key"] not in data:
                raise ExperimentError(f"the ConfigMap {source.get('name')} has no key {item['key']}")
            file = place / item["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists() or file.read_text(encoding="utf-8") != data[item["key"]]:
                file.write_text(data[item["key"]], encoding="utf-8")


def map_paths(text: str, mounts: Mapping[PurePosixPath, Path]) -> str:
    """Replace mount paths in `text` by their folders.

    Only where a path starts (the beginning, after `=`, `:`, `,`, a quote or a blank) and ends at a component's end,
    longest first; so `gs://bucket/data` stays.
    """
    by_length: Sequence[PurePosixPath] = sorted(mounts, key=lambda path: len(str(path)), reverse=True)
    if not by_length:
        return text
    pattern = "|".join(re.escape(str(path)) for path in by_length)
    return re.sub(
        f"{_STARTS}({pattern}){_ENDS}",
        lambda found: str(mounts[PurePosixPath(found.group(1))]),
        text,
        flags=re.MULTILINE,
    )


def folders_by_volume(pod: Mapping[str, Any], given: Mapping[str, Path]) -> dict[str, Path]:
    """The user's `NAME=DIR`, by the volume's name where NAME is a claim's.

    Raises:
        ExperimentError: the pod has no such volume or claim, or the folder does not exist.
    """
    volumes = pod.get("volumes") or ()
    names = {volume["name"]: volume["name"] for volume in volumes}
    claims = {(volume.get("persistentVolumeClaim") or {}).get("claimName"): volume["name"] for volume in volumes}
    folders = {}
    for name, folder in given.items():
        volume = names.get(name) or claims.get(name)
        if volume is None:
            raise ExperimentError(f"--volume {name}: the pod has no such volume; it has {', '.join(names) or 'none'}")
        if not folder.is_dir():
            raise ExperimentError(f"--volume {name}={folder}: no such folder")
        folders[volume] = folder
    return folders


def mounts_here(
    pod: Mapping[str, Any], container: Mapping[str, Any], given: Mapping[str, Path]
) -> dict[PurePosixPath, Path]:
    """Mount path to folder, of those of the container's volumes that lie on this machine.

    Args:
        given: folder by the name of a volume or claim.

    Raises:
        ExperimentError: the pod has no such volume, or the folder does not exist.
    """
    mounts: dict[PurePosixPath, Path] = {}
    folders = folders_by_volume(pod, given)
    for volume in pod.get("volumes") or ():
        host = (volume.get("hostPath") or {}).get("path")
        folder = folders.get(volume["name"], Path(host) if host else None)
        if folder is None:
            continue
        for mount in container.get("volumeMounts") or ():
            if mount.get("name") == volume["name"]:
                mounts[PurePosixPath(mount["mountPath"])] = folder.resolve() / mount.get("subPath", "")
    return mounts
