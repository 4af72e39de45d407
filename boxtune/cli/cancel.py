"""`boxtune cancel`."""

from __future__ import annotations

from typing import Annotated

import typer

from boxtune.cli.targets import Context, Namespace
from boxtune.cluster.cancelling import cancel as delete
from boxtune.cluster.connection import connect


def cancel(
    name: Annotated[str, typer.Argument(metavar="NAME", help="of an Experiment on the cluster")],
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """End an Experiment on the cluster: it is deleted, and its trials with it. Its ConfigMaps stay.

    Keep what it found before: boxtune show NAME --json > FILE, boxtune best NAME --out pipeline.config.
    """
    for line in delete(connect(context, namespace), name):
        print(line)
