"""`boxtune watch`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from boxtune.cli.printing import print_run
from boxtune.cli.progress import make_listener
from boxtune.cli.targets import Context, Namespace
from boxtune.cluster.connection import connect
from boxtune.cluster.fetching import Fetcher
from boxtune.cluster.watching import watch as follow
from boxtune.errors import ExperimentFailed


def watch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="of an Experiment on the cluster")],
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Follow an Experiment on the cluster to its end: trials and metrics as they come, and why one waits or failed.

    Exit code 3 where the Experiment failed. Ctrl-C ends the watching, not the Experiment.
    """
    console = Console(highlight=False)
    cluster = connect(context, namespace)
    with make_listener(console) as listener:
        run = follow(cluster, Fetcher(cluster, name), listener.changed, listener.notice)
    print_run(run)
    if run.condition == "Failed":
        raise ExperimentFailed(f"{name}: {run.message}")
