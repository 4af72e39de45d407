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
    """Where each volume of a pod lies.

    `given` are the user's `NAME=DIR`; a name is the volume's or, for a claim, the claim's.
    """

    def __init__(
        self, pod: Mapping[str, Any], given: Mapping[str, Path], config_maps: Mapping[str, Mapping[str, str]]
    ) -> None:
        """
        Raises:
            ExperimentError: a volume that needs a folder has none, or a folder is given for no volume.
        """
        self._volumes = {volume["name"]: volume for volume in pod.get("volumes") or ()}
        self._given = dict(given)
        self._config_maps = config_maps
        claims = {
            volume["persistentVolumeClaim"].get("claimName"): name
            for name, volume in self._volumes.items()
            if volume.get("persistentVolumeClaim")
        }
        for name in list(self._given):
            if name in claims and name not in self._volumes:
                self._given[claims[name]] = self._given.pop(name)
            elif name not in self._volumes:
                raise ExperimentError(f"--volume {name}: the pod has no such volume; it has {', '.join(self._volumes)}")
        for name, folder in self._given.items():
            if not folder.is_dir():
                raise ExperimentError(f"--volume {name}={folder}: no such folder")
        for name, volume in self._volumes.items():
            self._check(name, volume)

    def _check(self, name: str, volume: Mapping[str, Any]) -> None:
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

    def mounts(self, container: Mapping[str, Any], folder: Path) -> dict[PurePosixPath, Path]:
        """Mount path to folder, for one container of the trial that has `folder`; folders are made as needed."""
        mounts = container.get("volumeMounts") or ()
        for mount in mounts:
            if mount.get("subPathExpr"):
                raise ExperimentError(f"volumeMounts: {mount['mountPath']}: subPathExpr is not built for local runs")
        return {
            PurePosixPath(mount["mountPath"]): self._folder(mount["name"], folder) / mount.get("subPath", "")
            for mount in mounts
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


def mounts_here(
    pod: Mapping[str, Any], container: Mapping[str, Any], given: Mapping[str, Path]
) -> dict[PurePosixPath, Path]:
    """Mount path to folder, of those of the container's volumes that lie on this machine.

    Args:
        given: folder by the name of a volume or claim.
    """
    mounts: dict[PurePosixPath, Path] = {}
    for volume in pod.get("volumes") or ():
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        host = (volume.get("hostPath") or {}).get("path")
        folder = given.get(volume["name"], given.get(claim or "", Path(host) if host else None))
        if folder is None:
            continue
        for mount in container.get("volumeMounts") or ():
            if mount.get("name") == volume["name"]:
                mounts[PurePosixPath(mount["mountPath"])] = folder.resolve() / mount.get("subPath", "")
    return mounts
