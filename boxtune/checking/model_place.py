"""Checking where trials keep their work: a folder each, or a root that all of them share, on what lasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from kubeflow_katib_api.models import IoK8sApiCoreV1VolumeMount

from boxtune.experiment.job import Container, PodSpec
from boxtune.experiment.trial_command import TrialCommand
from boxtune.problems import Problem, error, warning
from trial_entry.storage.urls import is_remote

MODEL_DIR, MODEL_ROOT = "--model_dir", "--model_root"
_PLACEHOLDER, _OWN_NAME = "${trialParameters.", "${trialSpec.Name}"


@dataclass(frozen=True)
class WrittenPlace:
    """The argument that says where a trial's work lies, as the template has it.

    Attributes:
        flag: MODEL_DIR or MODEL_ROOT.
        path: placeholders and all.
    """

    flag: str
    path: str

    def __str__(self) -> str:
        return f"{self.flag}={self.path}"


def written_place(arguments: Sequence[str]) -> WrittenPlace | None:
    """The place among a command's words, written with an equals sign or as two words; None where there is none."""
    for number, text in enumerate(arguments):
        flag, equals, path = text.partition("=")
        if flag in (MODEL_DIR, MODEL_ROOT) and (equals or number + 1 < len(arguments)):
            return WrittenPlace(flag, path if equals else arguments[number + 1])
    return None


def place_problems(command: TrialCommand, where: str) -> Iterator[Problem]:
    """Everything about the place that trial_entry's own trials write to.

    Args:
        where: the arguments, in the Experiment.
    """
    place = written_place(command.arguments)
    if place is None:
        return
    mount = _mount(command.container, place.path)
    if mount is not None and mount.read_only:
        yield error(
            f"{command.path}.volumeMounts",
            f"{place} lies on {mount.mount_path}, which is mounted readOnly",
            "leave readOnly out there, or give another place",
            "every trial fails",
        )
    if place.flag == MODEL_ROOT:
        yield from _root(command, place, where)
    else:
        yield from _folder(command, place, where)


def stopping_problems(command: TrialCommand, hook: Sequence[str]) -> Iterator[Problem]:
    """A preStop hook that stops the trial of another place.

    Args:
        hook: its command.
    """
    place, stopped = written_place(command.arguments), written_place(hook)
    if place is None or stopped is None:
        return
    if (place.flag, place.path.rstrip("/")) != (stopped.flag, stopped.path.rstrip("/")):
        yield warning(
            f"{command.path}.lifecycle.preStop",
            f"stops the trial of {stopped}, and the trial has {place}",
            f"write {place} there",
            "the trial is not found and not told: a pod that is moved loses all since its last checkpoint",
        )


def _folder(command: TrialCommand, place: WrittenPlace, where: str) -> Iterator[Problem]:
    """A --model_dir is one trial's."""
    if _PLACEHOLDER in place.path:
        return
    if is_remote(place.path):
        yield error(
            where,
            f"{place} is the same place for every trial",
            "add a trialParameter with the reference ${trialSpec.Name} to it",
            "the second trial is refused the place",
        )
    claims = {volume.name: volume.persistent_volume_claim for volume in command.pod.volumes or ()}
    mount = _mount(command.container, place.path)
    claim = claims.get(mount.name) if mount is not None else None
    if mount is not None and claim is not None and _PLACEHOLDER not in (mount.sub_path or ""):
        yield error(
            where,
            f"{place} is the same folder of the claim {claim.claim_name} for every trial",
            "add a trialParameter with the reference ${trialSpec.Name} to its path or to the mount's subPath",
            "the second trial is refused the folder",
        )


def _root(command: TrialCommand, place: WrittenPlace, where: str) -> Iterator[Problem]:
    """A --model_root is of use where trials share it."""
    mount = _mount(command.container, place.path)
    why = None
    if _names_trial(command, place.path) or (mount is not None and _names_trial(command, mount.sub_path or "")):
        why = "has the trial's own name in it"
    elif not is_remote(place.path):
        why = "lies on no volume" if mount is None else _unshared(command.pod, mount.name)
    if why is not None:
        yield warning(
            where,
            f"{place} {why}, so no two trials share it and none finds what another has trained",
            "give a folder of a claim that all trials mount, or gs://BUCKET/PREFIX; for one trial alone --model_dir",
            "a trial that asks for more steps of the same config begins from the start",
        )


def _names_trial(command: TrialCommand, text: str) -> bool:
    names = (name for name, reference in command.references.items() if reference == _OWN_NAME)
    return any(f"{_PLACEHOLDER}{name}}}" in text for name in names)


def _unshared(pod: PodSpec, name: str) -> str | None:
    """How a volume is each pod's own; None where it is not."""
    volume = next((each for each in pod.volumes or () if each.name == name), None)
    if volume is not None and volume.empty_dir is not None:
        return f"lies on the emptyDir {name}, which ends with its pod"
    if volume is not None and volume.ephemeral is not None:
        return f"lies on the ephemeral volume {name}, which ends with its pod"
    return None


def _mount(container: Container, path: str) -> IoK8sApiCoreV1VolumeMount | None:
    """The mount that holds `path`, the innermost one; None where none does, or it is in a bucket."""
    if is_remote(path):
        return None
    inside = [each for each in container.volume_mounts or () if PurePosixPath(path).is_relative_to(each.mount_path)]
    return max(inside, key=lambda each: len(PurePosixPath(each.mount_path).parts), default=None)
