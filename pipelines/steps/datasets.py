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
from pipelines.steps.stores import opened
from trial_entry.storage.cache import Cache
from trial_entry.storage.folders import download_folder
from trial_entry.storage.urls import is_remote

PLACE, DIGEST = "place", "sha256"  # keys of the metadata


def dataset_folder(path: str, metadata: Mapping[str, object]) -> Path:
    """The folder of the records of a Dataset artifact.

    Args:
        path: of the artifact on this machine.
        metadata: of the artifact.

    Raises:
        InputError: the place cannot be read.
    """
    place = metadata.get(PLACE)
    return place_folder(str(place)) if place else Path(path)


def place_folder(place: str) -> Path:
    """The folder at a place; what is in a bucket is fetched, what was fetched before is not fetched again.

    Raises:
        InputError: the bucket cannot be read, or there is no such folder.
    """
    if is_remote(place):
        folder = Cache.from_environment().work_folder(place) / "data"
        with request_errors():
            if not download_folder(opened(place), folder):
                raise InputError(f"{place}: nothing is there")
        return folder
    if not Path(place).is_dir():
        raise InputError(f"{place}: no such folder here; mount the claim that holds it, or give gs:// or s3://")
    return Path(place)
