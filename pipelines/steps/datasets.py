"""A Dataset artifact: records that lie in the artifact itself, or a place that it only names.

An artifact of data that lie elsewhere holds no copy: its metadata name the place, and each step reads it from there.
Every step of a run sees the folder under one path, so that a config with absolute paths, written by one step, is valid
in the others: a mounted claim's, the artifact's (KFP derives it from the URI), or one that follows from the URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from boxtune.delivery.asking import request_errors
from boxtune.errors import InputError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.trial_command import TrialCommand
from pipelines.steps.given import place_digest
from pipelines.steps.stores import opened
from trial_entry.storage.cache import Cache
from trial_entry.storage.filling import fill_folder
from trial_entry.storage.folders import below
from trial_entry.storage.holding import locked
from trial_entry.storage.remote_object import RemoteObject
from trial_entry.storage.urls import is_remote

_FETCHED = "data"
PLACE, DIGEST = "place", "sha256"  # keys of the metadata


def dataset_folder(path: str, metadata: Mapping[str, object]) -> Path:
    """The folder of the records of a Dataset artifact.

    Args:
        path: of the artifact on this machine.
        metadata: of the artifact.

    Raises:
        InputError: the place cannot be read, or holds other files than when the run began.
    """
    place, digests = str(metadata.get(PLACE) or ""), str(metadata.get(DIGEST) or "").split()
    if not place:
        return Path(path)
    folder = place_folder(place)
    if digests and place_digest(place) != digests[0]:  # the first; others are of files elsewhere
        raise InputError(f"{place}: the files there are not those that the run began with; begin a new run")
    return folder


def place_folder(place: str) -> Path:
    """The folder at a place; what is in a bucket is fetched, and nothing else is in its folder then.

    What was fetched before and is the same is not fetched again; steps on one machine fetch one after another.

    Raises:
        InputError: the bucket cannot be read, or there is no such folder.
    """
    if is_remote(place):
        home = Cache.from_environment().work_folder(place)
        with request_errors():
            wanted = below(opened(place))
            if not wanted:
                raise InputError(f"{place}: nothing is there")
            _fill(home, wanted)
        return home / _FETCHED
    if not Path(place).is_dir():
        raise InputError(f"{place}: no such folder here; mount the claim that holds it, or give gs:// or s3://")
    return Path(place)


def _fill(home: Path, wanted: Mapping[str, RemoteObject]) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with locked(home / "lock"):
            fill_folder(home / _FETCHED, wanted, ())
    except OSError as problem:
        raise InputError(f"{home}: {problem.strerror}; BOXTUNE_CACHE says where what is fetched goes") from None


def volumes_here(experiment: Experiment, volume: str, folder: Path) -> dict[str, Path]:
    """Folder by the name of a volume of the trials' pods: that of the records, and claims that this step has too.

    A claim with a pretrained checkpoint, say, is the trials' and, mounted under the same path, the step's.

    Args:
        volume: of the records, or its claim.
        folder: that stands for it.

    Raises:
        ExperimentError: the trials are no Job that stands in the Experiment.
    """
    command = TrialCommand(experiment.template)
    claims = {each.name: each.persistent_volume_claim for each in command.pod.volumes or ()}
    found = {volume: folder}
    for mount in command.container.volume_mounts or ():
        claim, here = claims.get(mount.name), Path(mount.mount_path)
        is_given = claim is None or volume in (mount.name, claim.claim_name)
        if not is_given and not mount.sub_path and here.is_dir():
            found[mount.name] = here
    return found
