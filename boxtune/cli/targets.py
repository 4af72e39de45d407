"""A run by its folder, or by the Experiment's name on a cluster."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from boxtune.cli.paths import input_folder
from boxtune.cluster.connection import Cluster, connect
from boxtune.cluster.fetching import Fetcher
from boxtune.dashboard.following import ClusterSource, FolderSource, Source
from boxtune.errors import ClusterError
from boxtune.local.reading import open_run
from boxtune.runs.run import Run

Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", metavar="NAME", help="of the cluster (default: the Experiment's, the context's)"),
]
Context = Annotated[str | None, typer.Option(metavar="NAME", help="of the kubeconfig (default: its current one)")]


def is_folder(target: str, context: str | None, namespace: str | None) -> bool:
    """Whether it is a run's folder: what looks like a path is one, and so is a folder where no cluster is named."""
    return os.sep in target or (context is None and namespace is None and os.path.isdir(target))


def open_target(target: str, context: str | None, namespace: str | None) -> Run:
    """The run in a folder, or the Experiment of this name on the cluster.

    What looks like a path is one; a name with a namespace or a context is the Experiment's, whatever lies here.

    Raises:
        RunFolderError: no run lies in the folder.
        ClusterError: no such Experiment, or no cluster.
    """
    if is_folder(target, context, namespace):
        return open_run(input_folder(target))
    return Fetcher(_cluster_of(target, context, namespace), target).fetch()


def follow_target(target: str, context: str | None, namespace: str | None) -> Source:
    """What gives the same run again and again, as it then is.

    Raises:
        ClusterError: no cluster.
    """
    if is_folder(target, context, namespace):
        return FolderSource(input_folder(target))
    return ClusterSource(Fetcher(_cluster_of(target, context, namespace), target).fetch)


def _cluster_of(target: str, context: str | None, namespace: str | None) -> Cluster:
    """The cluster to look for `target` on.

    Raises:
        ClusterError: no cluster; it says, too, that no folder of this name is here.
    """
    try:
        return connect(context, namespace)
    except ClusterError as none:
        if context is None and namespace is None:
            raise ClusterError(f"no folder {target} is here, and for an Experiment of this name: {none}") from None
        raise
