"""`boxtune dashboard`."""

from __future__ import annotations

from typing import Annotated

import typer

from boxtune.cli.targets import Context, Namespace, follow_target
from boxtune.dashboard.server import ReadOnlyApp, serve
from boxtune.dashboard.storage import RunStorage
from trial_entry.printable import printable
from trial_entry.storage.naming import stand_ins


def dashboard(
    target: Annotated[
        str, typer.Argument(metavar="RUN|NAME", help="the folder of a run, or an Experiment on the cluster")
    ],
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="where it listens; 0.0.0.0 for other machines too")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="where it listens; 0 for any free one")] = 8080,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Look at a run in optuna-dashboard, in a browser; also while it goes on, and nothing of it can be changed there.

    Prints the address, and answers there until Ctrl-C (exit code 0). Needs optuna-dashboard, which comes with
    pip install 'boxtune[dashboard]'.

    Example: boxtune dashboard runs/drones --port 0
    """
    app = ReadOnlyApp(RunStorage(follow_target(target, context, namespace)), _say)
    serve(app, host, port, lambda address: print(address, flush=True))


def _say(line: str) -> None:
    typer.echo(printable(stand_ins().named(line)), err=True)
