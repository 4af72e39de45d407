"""Data that trials find in a volume which nobody provides: an init container of the trial's own image fetches them from
a bucket, `python -m trial_entry fetch`, before the trial starts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from boxtune.errors import ClusterError
from boxtune.experiment.editing import edited, pod_of
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import Json, JsonObject
from boxtune.experiment.trial_command import TrialCommand
from trial_entry.contract.requests import FetchRequest
from trial_entry.errors import RequestError, StorageError
from trial_entry.storage.urls import Remote, place_of

CACHE_VOLUME = "boxtune-cache"
_FOLDER = "/boxtune"  # where the init container sees what it fills
_REQUESTS = {"cpu": "100m", "memory": "256Mi"}
_PER_TRIAL = "${"
_PROGRAM = 3  # words of `python -m trial_entry`
_CREDENTIALS = re.compile(r"GOOGLE_|AWS_|STORAGE_EMULATOR_HOST|BOXTUNE_STORAGE|CLOUDSDK_|.*_proxy$|.*_PROXY$|HOME$")


@dataclass(frozen=True)
class DataSource:
    """What a volume of the trials' pods is filled with.

    Attributes:
        url: gs://BUCKET/PREFIX or s3://BUCKET/PREFIX; minio:// for s3:// of a Kubeflow Pipelines' own store.
        digest: tells this content from others, where pods share a cache; if empty, names, sizes and checksums do.
    """

    url: str
    digest: str = ""


def with_data(
    experiment: Experiment,
    volume: str,
    source: DataSource,
    environment: Sequence[JsonObject] = (),
    cache_claim: str = "",
) -> Experiment:
    """The Experiment, whose pods fetch `source` into the volume of this name (or of the claim of this name).

    They fetch before any other init container of theirs begins.
    What the trial's container has of credentials (variables of its environment, mounts) the init container has too.

    Args:
        environment: more of it, as a pod's `env`; goes before the container's own.
        cache_claim: a PersistentVolumeClaim in which pods keep one copy for all; empty for none.

    Raises:
        ClusterError: the pod has no such volume, its trials cannot fetch, or `source` is no such URL.
    """
    command = TrialCommand(experiment.template)
    volumes = {each.name: each for each in command.pod.volumes or ()}
    claims = {
        each.persistent_volume_claim.claim_name: name
        for name, each in volumes.items()
        if each.persistent_volume_claim is not None
    }
    name = volume if volume in volumes else claims.get(volume)
    if name is None:
        raise ClusterError(
            f"volume {volume}: the trials' pod has no such volume; it has {', '.join(volumes) or 'none'}"
        )
    if not command.is_own:
        raise ClusterError(
            f"volume {volume}: only trials of python -m trial_entry have a program that fetches {source.url}; give a "
            "claim that holds the data"
        )
    fetch = _request(name, source, cache_claim)

    def change(raw: dict[str, Json]) -> None:
        spec = pod_of(raw)["spec"]
        trial = next(each for each in spec["containers"] if each["name"] == command.container.name)
        spec["volumes"] = [{"name": name, "emptyDir": {}} if each["name"] == name else each for each in spec["volumes"]]
        if cache_claim and all(each["name"] != CACHE_VOLUME for each in spec["volumes"]):
            claim = {"name": CACHE_VOLUME, "persistentVolumeClaim": {"claimName": cache_claim}}
            spec["volumes"].append(claim)
        own = _init_container(trial, name, fetch, environment, bool(cache_claim))
        own["command"] = command.arguments[:_PROGRAM]
        first = list(spec.get("initContainers") or ())
        place = sum(1 for _ in takewhile(lambda each: _is_fetch(each, own), first))  # the trial's own may read the data
        spec["initContainers"] = [*first[:place], own, *first[place:]]

    return edited(experiment, change)


def _is_fetch(container: JsonObject, own: JsonObject) -> bool:
    """Whether an init container fetches as `own` does."""
    return bool(container.get("command") == own["command"] and (container.get("args") or [""])[0] == own["args"][0])


def _request(name: str, source: DataSource, cache_claim: str) -> FetchRequest:
    try:
        place = place_of(source.url)
    except (StorageError, RequestError) as wrong:
        raise ClusterError(f"volume {name}: {wrong}") from None
    if not isinstance(place, Remote):
        raise ClusterError(
            f"volume {name}: {source.url} is a path of this machine, which no pod of a trial sees; give gs://, s3:// "
            "or minio://, or leave it out and have a claim"
        )
    folder = Path(_FOLDER)
    cache = folder / "cache" if cache_claim else None
    return FetchRequest(source=place, folder=folder / "data", cache=cache, digest=source.digest or None)


def _init_container(
    trial: JsonObject,
    name: str,
    fetch: FetchRequest,
    environment: Sequence[JsonObject],
    has_cache: bool,
) -> dict[str, Json]:
    """The trial's own container, as far as it says where and as whom it runs, with another command."""
    kept = {key: trial[key] for key in ("image", "imagePullPolicy", "securityContext", "envFrom") if key in trial}
    mounts = [
        each
        for each in trial.get("volumeMounts") or ()
        if each["name"] != name and _PER_TRIAL not in str(each) and not each["mountPath"].startswith(_FOLDER)
    ]
    own = [{"name": name, "mountPath": str(fetch.folder)}]
    if has_cache:
        own.append({"name": CACHE_VOLUME, "mountPath": str(fetch.cache)})
    given = {each["name"] for each in environment}
    variables = [
        each
        for each in trial.get("env") or ()
        if _CREDENTIALS.match(each["name"]) and each["name"] not in given and _PER_TRIAL not in str(each)
    ]
    return {
        "name": f"fetch-{name}"[:63].rstrip("-"),
        **kept,
        "args": fetch.argv(),
        "resources": {"requests": dict(_REQUESTS)},
        "volumeMounts": [*mounts, *own],
        **({"env": [*environment, *variables]} if environment or variables else {}),
    }
