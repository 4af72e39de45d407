"""A step's way to a bucket: with the credentials of the pipelines' own object store, where the pod has no others."""

from __future__ import annotations

from boxtune.delivery.asking import request_errors
from trial_entry.storage.urls import is_remote


def opened(place: str) -> str:
    """The place itself, which this process can read and write from now on, as far as the namespace lets it.

    Raises:
        ClusterError: the store's credentials are not where Kubeflow Pipelines keep them.
        InputError: two stores have a bucket of this name.
    """
    if is_remote(place):
        from boxtune.cluster.artifact_store import use_artifact_store

        with request_errors():
            use_artifact_store(None, place)
    return place
