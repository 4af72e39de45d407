"""A pod's volumes as folders of this machine, and its mount paths as paths into them."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from kubeflow_katib_api.models import IoK8sApiCoreV1ConfigMapVolumeSource, IoK8sApiCoreV1Volume

from boxtune.errors import ExperimentError
from boxtune.experiment.job import Container, PodSpec
from boxtune.experiment.trial_command import POD_PATH, TrialCommand
from boxtune.problems import JOB_REFUSED, Problem, error, warning

Volume = IoK8sApiCoreV1Volume
ConfigMaps = Mapping[str, Mapping[str, str]]
_MODES, _READABLE = 0o777, 0o400
_STARTS = r"(?:(?<=^)|(?<=[=:,'\"\s]))(?<!\b[A-Z]:)"  # C:/data is a Windows path, which is nobody's mount
_ANNOTATION = re.compile(r"metadata\.annotations\['([^']+)'\]")
_ENDS = r"(?=$|[/=:,'\"\s])"


class Volumes:
    """Where each volume lies that a pod's container mounts.

    `given` are the user's `NAME=DIR`; a name is the volume's or, for a claim, the claim's.
    """

    def __init__(self, command: TrialCommand, given: Mapping[str, Path], config_maps: ConfigMaps) -> None:
        """
        Args:
            command: the trial's own container in its pod; what only others mount needs no folder.

        Raises:
            ExperimentError: a volume that needs a folder has none, or a folder is given for no volume.
        """
        pod = command.pod
        self._volumes = {volume.name: volume for volume in pod.volumes or ()}
        self._mounts = list(command.container.volume_mounts or ())
        self._path = command.path
        self._given = folders_by_volume(pod, given)
        self._config_maps = config_maps
        self._filled_by = {
            mount.name: first.name for first in pod.init_containers or () for mount in first.volume_mounts or ()
        }
        mounted = {mount.name for mount in self._mounts}
        for number, (name, volume) in enumerate(self._volumes.items()):
            if name in mounted:
                self._check(f"{POD_PATH}.volumes.{number}", volume)

    def _check(self, path: str, volume: Volume) -> None:
        name = volume.name
        if volume.empty_dir is not None and name in self._filled_by and name not in self._given:
            raise ExperimentError(
                error(
                    path,
                    f"volume {name} is filled by the container {self._filled_by[name]}, which a local run leaves out",
                    f"say which folder it is here with --volume {name}=DIR",
                )
            )
        if name in self._given or volume.empty_dir is not None or volume.host_path is not None:
            return
        if volume.config_map is not None:
            wanted = volume.config_map.name
            if wanted not in self._config_maps and not volume.config_map.optional:
                raise ExperimentError(
                    error(
                        path,
                        f"volume {name}: the ConfigMap {wanted} is not in the file (nor in a kustomization beside it)",
                        f"add it, or give its folder with --volume {name}=DIR",
                    )
                )
            for item in volume.config_map.items or ():
                if not _stays_inside(item.path):
                    what = f"volume {name}: {item.path} must be a path within the volume, without .."
                    raise ExperimentError(error(f"{path}.configMap.items", what, "", JOB_REFUSED))
            return
        claim = volume.persistent_volume_claim
        what = f"the claim {claim.claim_name}" if claim is not None else f"a volume of kind {_kind(volume)}"
        raise ExperimentError(
            error(path, f"volume {name} is {what}", f"say which folder it is here with --volume {name}=DIR")
        )

    def holds(self, path: str) -> bool:
        """Whether a path of the container lies in one of the mounted volumes."""
        return any(PurePosixPath(path).is_relative_to(mount.mount_path) for mount in self._mounts)

    def mounts(self, folder: Path) -> dict[PurePosixPath, Path]:
        """Mount path to folder, for the trial that has `folder`; folders are made as needed.

        Raises:
            ExperimentError: a mount of no volume, or whose path is made at run time.
        """
        mounts: dict[PurePosixPath, Path] = {}
        for number, mount in enumerate(self._mounts):
            path = f"{self._path}.volumeMounts.{number}"
            if mount.sub_path_expr:
                raise ExperimentError(
                    error(path, f"{mount.mount_path}: subPathExpr is not built for local runs", "write a subPath")
                )
            if mount.sub_path and not _stays_inside(mount.sub_path):
                what = f"subPath {mount.sub_path} must be a path within the volume, without .."
                raise ExperimentError(error(path, what, "", JOB_REFUSED))
            volume = self._volumes.get(mount.name)
            if volume is None:
                raise ExperimentError(error(path, f"the pod has no volume {mount.name}"))
            mounts[PurePosixPath(mount.mount_path)] = self._folder(volume, folder) / (mount.sub_path or "")
        return mounts

    def _folder(self, volume: Volume, folder: Path) -> Path:
        if volume.name in self._given:
            return self._given[volume.name].resolve()
        if volume.host_path is not None:
            return Path(volume.host_path.path)
        place = folder / "volumes" / volume.name
        place.mkdir(parents=True, exist_ok=True)
        if volume.config_map is not None:
            self._write_config_map(volume.config_map, place)
        return place

    def _write_config_map(self, source: IoK8sApiCoreV1ConfigMapVolumeSource, place: Path) -> None:
        data = self._config_maps.get(source.name or "", {})
        modes = {item.key: item.mode for item in source.items or () if item.mode is not None}
        for key, path in config_map_files(source, data).items():
            if key not in data:
                raise ExperimentError(f"the ConfigMap {source.name} has no key {key}; it has {', '.join(data)}")
            file = place / path
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                if not file.exists() or file.read_text(encoding="utf-8") != data[key]:
                    file.unlink(missing_ok=True)  # which its mode may forbid to write
                    file.write_text(data[key], encoding="utf-8")
                mode = modes.get(key, source.default_mode)
                if mode is not None:
                    file.chmod(mode & _MODES | _READABLE)
            except OSError as wrong:
                what = f"the ConfigMap {source.name}: {key} cannot be written to {path}: {wrong.strerror}"
                raise ExperimentError(what) from None


def _stays_inside(path: str) -> bool:
    """Whether a path within a volume is one, as Kubernetes asks it."""
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts and path not in ("", ".")


def _kind(volume: Volume) -> str:
    """What a volume is, by its field in the pod."""
    fields = type(volume).model_fields
    return next(
        (field.alias or name for name, field in fields.items() if name != "name" and getattr(volume, name) is not None),
        "?",
    )


def config_map_files(source: IoK8sApiCoreV1ConfigMapVolumeSource, data: Mapping[str, str]) -> dict[str, str]:
    """Which file each key of a mounted ConfigMap becomes, relative to the mount."""
    if source.items:
        return {item.key: item.path for item in source.items}
    return {key: key for key in data}


def mounted_text(command: TrialCommand, path: str, config_maps: ConfigMaps) -> str | None:
    """The text of a file of the container that is mounted from one of `config_maps`, or from the pod's own annotations;
    None where none is.
    """
    volumes = {volume.name: volume for volume in command.pod.volumes or ()}
    for mount in command.container.volume_mounts or ():
        folder, volume = PurePosixPath(mount.mount_path), volumes.get(mount.name)
        if volume is None or not PurePosixPath(path).is_relative_to(folder):
            continue
        file = str(PurePosixPath(path).relative_to(folder))
        if volume.config_map is not None:
            data = config_maps.get(volume.config_map.name or "", {})
            files = config_map_files(volume.config_map, data)
            return next((data.get(key) for key, name in files.items() if name == file), None)
        if volume.downward_api is not None:
            return _annotated_text(command, volume, file)
    return None


def unprovided(command: TrialCommand, path: str, config_maps: ConfigMaps) -> Problem | None:
    """Why the trial's container cannot have the file `path`, or may not; None where nothing is known against it.

    An error where its ConfigMap is here and has no such file; a warning where no volume is mounted, as then the image
    alone can have it.
    """
    mounts = sorted(command.container.volume_mounts or (), key=lambda each: -len(each.mount_path))
    inside = next((each for each in mounts if PurePosixPath(path).is_relative_to(each.mount_path)), None)
    if not path.startswith("/"):
        return None
    if inside is None:
        has = ", ".join(sorted(each.mount_path for each in mounts)) or "no volumes"
        what = f"{path}: no volume is mounted there; the pod has {has}"
        return warning("", what, "write the path where a volume has it, unless the image has it")
    source = next((each.config_map for each in command.pod.volumes or () if each.name == inside.name), None)
    if source is None or inside.sub_path or source.optional:
        return None
    name, file = source.name or "", str(PurePosixPath(path).relative_to(inside.mount_path))
    if name not in config_maps:
        near = difflib.get_close_matches(name, config_maps, n=1)
        what = f"{path}: the ConfigMap {name} is not in the file (nor in a kustomization beside it)"
        is_hashed = bool(near) and name.startswith(f"{near[0]}-")  # as kustomize will call it
        return error("", what, f"the nearest there is {near[0]}") if near and not is_hashed else None
    files = list(config_map_files(source, config_maps[name]).values())
    if file in files:
        return None
    near = difflib.get_close_matches(file, files, n=1)
    right = f"the nearest there is {near[0]}" if near else f"it has {', '.join(files) or 'none'}"
    return error("", f"{path}: the ConfigMap {name} has no such file", right)


def _annotated_text(command: TrialCommand, volume: Volume, file: str) -> str | None:
    """What a file of a downwardAPI volume holds that is one of the pod's annotations."""
    for item in (volume.downward_api.items if volume.downward_api is not None else None) or ():
        found = _ANNOTATION.fullmatch(item.field_ref.field_path) if item.field_ref is not None else None
        if item.path == file and found is not None:
            return command.job.pod_annotations.get(found[1])
    return None


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


def folders_by_volume(pod: PodSpec, given: Mapping[str, Path]) -> dict[str, Path]:
    """The user's `NAME=DIR`, by the volume's name where NAME is a claim's.

    Raises:
        ExperimentError: the pod has no such volume or claim, or the folder does not exist.
    """
    volumes = pod.volumes or ()
    names = {volume.name: volume.name for volume in volumes}
    claims = {
        volume.persistent_volume_claim.claim_name: volume.name
        for volume in volumes
        if volume.persistent_volume_claim is not None
    }
    folders = {}
    for name, folder in given.items():
        found = names.get(name) or claims.get(name)
        if found is None:
            raise ExperimentError(f"--volume {name}: the pod has no such volume; it has {', '.join(names) or 'none'}")
        if not os.path.isdir(folder):
            raise ExperimentError(f"--volume {name}={folder}: no such folder")
        folders[found] = folder
    return folders


def mounts_here(pod: PodSpec, container: Container, given: Mapping[str, Path]) -> dict[PurePosixPath, Path]:
    """Mount path to folder, of those of the container's volumes that lie on this machine.

    Args:
        given: folder by the name of a volume or claim.

    Raises:
        ExperimentError: the pod has no such volume, or the folder does not exist.
    """
    mounts: dict[PurePosixPath, Path] = {}
    folders = folders_by_volume(pod, given)
    for volume in pod.volumes or ():
        host = Path(volume.host_path.path) if volume.host_path is not None else None
        folder = folders.get(volume.name, host)
        if folder is None:
            continue
        for mount in container.volume_mounts or ():
            if mount.name == volume.name:
                mounts[PurePosixPath(mount.mount_path)] = folder.resolve() / (mount.sub_path or "")
    return mounts
