"""`boxtune check`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from boxtune.checking.check import CheckOptions
from boxtune.checking.check import check as find
from boxtune.cli.counting import counted
from boxtune.cli.options import ExperimentName, volumes_of
from boxtune.cli.paths import experiment_file, input_file, named, shown
from boxtune.errors import EXIT_DONE, EXIT_INPUT, ExperimentError
from boxtune.problems import error


def check(
    experiment: Annotated[
        Path,
        typer.Argument(metavar="EXPERIMENT.yaml", help="one Experiment, and its ConfigMaps", parser=experiment_file),
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="the base pipeline.config, instead of the Experiment's own", parser=input_file
        ),
    ] = None,
    volume: Annotated[
        list[str] | None, typer.Option(metavar="NAME=DIR", help="the folder of a volume, to open the data; repeatable")
    ] = None,
    katib: Annotated[bool, typer.Option("--katib", help="also say where Katib would search something else")] = False,
    build: Annotated[
        bool, typer.Option("--build", help="also build every model that the space can name (seconds each)")
    ] = False,
    name: ExperimentName = None,
    as_json: Annotated[bool, typer.Option("--json", help="a list of problems as JSON")] = False,
) -> int:
    """Find mistakes before the GPU does: one line a problem, FILE:LINE: what, and what would be right.

    Looks at what Katib's webhook refuses, at what it lets through and then fails or misleads, and at every parameter
    against the type and meaning of the field that it sets, at both ends of its range and for every listed value.
    Exit code 2 if anything is an error, 0 if not.

    Example: boxtune check experiment.yaml --katib --volume data=/data/drones
    """
    try:
        problems = find(experiment, CheckOptions(config, volumes_of(volume), katib, build, name))
    except ExperimentError as unreadable:
        if not as_json:
            raise
        problems = list(unreadable.problems) or [error("", str(unreadable))]
    errors, warnings = (sum(each.severity == kind for each in problems) for kind in ("error", "warning"))
    file = shown(experiment)
    if as_json:
        print(json.dumps([{"file": file, **asdict(each), "text": each.text} for each in problems], indent=2))
    else:
        for each in problems:
            print(named(f"{file}:{each.line}: {each}"))
        print(f"{file}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
    return EXIT_INPUT if errors else EXIT_DONE
