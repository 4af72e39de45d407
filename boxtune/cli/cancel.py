"""`boxtune cancel`."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated

import typer

from boxtune.cli.options import seconds_of
from boxtune.cli.targets import Context, Namespace
from boxtune.cluster.cancelling import cancel as delete
from boxtune.cluster.cancelling import cancel_stale, wait_until_gone
from boxtune.cluster.connection import connect
from boxtune.errors import InputError


def cancel(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="of an Experiment on the cluster")] = None,
    stale: Annotated[
        bool, typer.Option("--stale", help="all that a pipeline's step began and none waits for any more")
    ] = False,
    older_than: Annotated[
        str | None, typer.Option(metavar="TIME", help="with --stale: for this long already, such as 90m")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="with --stale: say which, and end none")] = False,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """End an Experiment on the cluster: it is deleted, its trials with it, and the ConfigMaps that submit made for it.

    Returns once all is gone, pods included: a new Experiment of the same name would count what is left as its own.
    Keep what it found before: boxtune show NAME --json > FILE, boxtune best NAME --out pipeline.config.

    A step of a pipeline renews a lease of its Experiment while it waits for it; --stale ends those whose lease has
    expired, 15 minutes after the step has gone. Experiments that are over stay, and those without a lease.
    """
    if stale == (name is not None):
        raise InputError("give the NAME of an Experiment, or --stale for all that no step of a pipeline waits for")
    if name is not None:
        if older_than is not None or dry_run:
            raise InputError("--older-than and --dry-run go with --stale, not with a NAME")
        cluster = connect(context, namespace)
        for line in delete(cluster, name):
            print(line, flush=True)
        wait_until_gone(cluster, name, partial(print, flush=True))
        return
    older = timedelta(seconds=seconds_of("--older-than", older_than) if older_than is not None else 0)
    for line in cancel_stale(connect(context, namespace), older, dry_run):
        print(line, flush=True)
