"""A run by its folder, or by the Experiment's name on a cluster."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from boxtune.cli.paths import input_folder
from boxtune.cluster.connection import Cluster, connect
from boxtune.cluster.fetching import Fetcher
from boxtune.local.reading import open_run
from boxtune.runs.run import Run

Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", metavar="NAME", help="of the cluster (default: the Experiment's, the context's)"),
]
Context = Annotated[str | None, typer.Option(metavar="NAME", help="of the kubeconfig (default: its current one)")]


def open_target(target: str, context: str | None, namespace: str | None) -> Run:
    """The run in a folder, or the Experiment of this name on the cluster; what looks like a path is one.

    Raises:
        RunFolderError: no run lies in the folder.
        ClusterError: no such Experiment, or no cluster.
    """
    folder = input_folder(target)
    if os.path.isdir(folder) or os.sep in target:
        return open_run(folder)
    cluster: Cluster = connect(context, namespace)
    return Fetcher(cluster, target).fetch()
