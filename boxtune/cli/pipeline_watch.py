"""`boxtune pipeline watch`."""

from __future__ import annotations

from typing import Annotated

import typer

from boxtune.cli.pipeline_following import follow_to_the_end
from boxtune.cli.pipeline_options import Host, Namespace, need_kfp


def pipeline_watch(
    run: Annotated[str, typer.Argument(metavar="RUN", help="its id, as boxtune pipeline submit has said it")],
    host: Host = None,
    namespace: Namespace = None,
) -> None:
    """Follow a run on Kubeflow Pipelines to its end: each step as it begins and ends, and why one failed.

    Exit code 3 where the run failed. Ctrl-C ends the watching, not the run.

    Example: boxtune pipeline watch 81c74911-32ff-404d-ade2-46664fd16ee2
    """
    need_kfp()
    from pipelines.server import connect
    from pipelines.submission import Submitted, address

    server = connect(host, namespace)
    follow_to_the_end(server, Submitted(run, address(server, run)))
