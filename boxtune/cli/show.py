"""`boxtune show`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from boxtune.cli.printing import print_run
from boxtune.cli.targets import Context, Namespace, open_target
from boxtune.errors import InputError
from boxtune.report.table import trials_csv
from boxtune.runs.status import experiment_with_status


def show(
    target: Annotated[
        str, typer.Argument(metavar="RUN|NAME", help="the folder of a run, or an Experiment on the cluster")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="the Experiment with its status, as Katib shapes it")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="a line a trial, for a spreadsheet or pandas")] = False,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Show a run: every trial, the best, and how it compares with the base config. Works while it runs."""
    if as_json and as_csv:
        raise InputError("--json and --csv are two forms of the same; name one")
    found = open_target(target, context, namespace)
    if as_csv:
        print(trials_csv(found), end="")
        return
    if as_json:
        print(json.dumps(experiment_with_status(found), indent=2))
        return
    print_run(found)
