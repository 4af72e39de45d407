"""`boxtune run`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from boxtune.checking.check import trial_errors
from boxtune.cli.options import seconds_of, volumes_of
from boxtune.cli.paths import experiment_file, run_folder
from boxtune.cli.printing import print_run
from boxtune.cli.progress import make_listener
from boxtune.errors import BoxtuneError, InputError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.loading import load_experiment
from boxtune.local.engine import LocalEngine
from boxtune.local.journal import JOURNAL_FILE
from boxtune.local.keeping import Keep
from boxtune.local.options import RunOptions
from boxtune.local.reading import open_run


def run(
    experiment: Annotated[
        Path,
        typer.Argument(metavar="EXPERIMENT.yaml", help="one Experiment, and its ConfigMaps", parser=experiment_file),
    ],
    volume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="the folder that stands for a volume (or claim) of the pod; repeatable"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN", help="where all goes; the same again goes on (default: runs/NAME)", parser=run_folder
        ),
    ] = None,
    keep: Annotated[
        str, typer.Option(metavar="best:N|all|none", help="whose checkpoints stay; the rest of a trial always stays")
    ] = "best:3",
    budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="start no trial after this long in all calls together, such as 90m or 8h"),
    ] = None,
    num_steps: Annotated[
        int | None, typer.Option("--num-steps", "--num_steps", min=1, help="shorten every trial, schedule included")
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline/--no-baseline", help="try the base config's own values first, as one more trial")
    ] = True,
    stall_timeout: Annotated[
        str, typer.Option(metavar="TIME", help="end a trial that neither prints nor computes for this long")
    ] = "10m",
    parallel: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto",
            help="trials at a time, instead of parallelTrialCount; auto: one a GPU (or as many as a trial asks for), "
            "else one a core, as far as memory lasts",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check/--no-check", help="begin only if every value fits the config and the data can be read"),
    ] = True,
    reuse: Annotated[
        bool,
        typer.Option("--reuse", help="let a trial whose config was tried before take over that one's result"),
    ] = False,
    cold: Annotated[
        bool, typer.Option("--cold", help="let every trial import TensorFlow itself, instead of forking from a server")
    ] = False,
) -> None:
    """Search on this machine, until the Experiment's counts, goal or the budget end it.

    Trials run as on Katib: the same command, with folders in the place of the pod's volumes. What happens is written
    to RUN/journal.jsonl; whatever interrupts the run, the same command goes on from there, and trials from their
    checkpoints. maxTrialCount, parallelTrialCount and maxFailedTrialCount may be edited in between.

    Example: boxtune run experiment.yaml --volume data=/data/drones --budget 8h
    """
    options = RunOptions(
        volumes=volumes_of(volume),
        keep=Keep.parse(keep),
        budget=seconds_of("--budget", budget) if budget is not None else None,
        num_steps=num_steps,
        baseline=baseline,
        stall_seconds=seconds_of("--stall-timeout", stall_timeout),
        cold=cold,
        reuse=reuse,
        parallel=_parallel(parallel),
    )
    loaded = load_experiment(experiment)
    folder = out or Path("runs") / loaded.name
    if check and not os.path.exists(folder / JOURNAL_FILE):
        _check(loaded, experiment, options)
    console = Console(highlight=False)
    with make_listener(console) as listener:
        engine = LocalEngine(loaded, folder, options, listener)
        try:
            engine.run()
        except BoxtuneError:
            print_run(open_run(folder))
            raise
    print_run(open_run(folder))


def _parallel(text: str | None) -> int | Literal["auto"] | None:
    if text is None:
        return None
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f'--parallel "{text}": must be a number from 1, or auto')
    return int(text)


def _check(experiment: Experiment, file: Path, options: RunOptions) -> None:
    """Raises InputError where trials would fail on the config or the data."""
    errors = trial_errors(experiment, options.volumes)
    if errors:
        more = f"; {len(errors) - 1} more" if len(errors) > 1 else ""
        advice = f"boxtune check {file} says all; --no-check runs it all the same"
        raise InputError(f"{file}: {errors[0].placed}{more} ({advice})")
