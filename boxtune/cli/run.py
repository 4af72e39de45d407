"""`boxtune run`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from boxtune.checking.check import trial_errors
from boxtune.cli.options import ExperimentName, parallel_of, seconds_of, volumes_of
from boxtune.cli.paths import experiment_file, input_folder, run_folder
from boxtune.cli.printing import print_run
from boxtune.cli.progress import make_listener
from boxtune.errors import BoxtuneError, BudgetSpent, InputError
from boxtune.experiment.editing import with_counts
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.loading import load_experiment
from boxtune.local.engine import LocalEngine
from boxtune.local.journal import JOURNAL_FILE
from boxtune.local.keeping import Keep
from boxtune.local.options import RunOptions
from boxtune.local.other_algorithm import with_algorithm
from boxtune.local.reading import Beginning, begun_with, open_run
from boxtune.local.repeats import refuse_without_seed
from boxtune.local.template import Template


def run(
    experiment: Annotated[
        Path,
        typer.Argument(
            metavar="EXPERIMENT.yaml|RUN",
            help="one Experiment, and its ConfigMaps; or the folder of a run, to go on with it",
            parser=experiment_file,
        ),
    ],
    volume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="the folder that stands for a volume (or claim) of the pod; repeatable"),
    ] = None,
    name: ExperimentName = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="where all goes; the same again goes on (default: runs/NAME; with --algorithm runs/NAME-ALGORITHM)",
            parser=run_folder,
        ),
    ] = None,
    algorithm: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="search by this algorithm and its defaults, instead of the file's"),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="so many trials, instead of maxTrialCount")
    ] = None,
    keep: Annotated[
        str, typer.Option(metavar="best:N|all|none", help="whose checkpoints stay; the rest of a trial always stays")
    ] = "best:3",
    budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="start no trial after this long in all calls together, such as 90m or 8h"),
    ] = None,
    max_steps: Annotated[
        int | None,
        typer.Option(
            "--max-steps",
            min=1,
            help="start no trial beyond this many training steps of all together (default: the annotation "
            "boxtune/max-steps)",
        ),
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
    continued: Annotated[
        list[str] | None,
        typer.Option(
            "--continue", metavar="NAME", help="train this trial, stopped early or paused, to its end; repeatable"
        ),
    ] = None,
    warm_start: Annotated[
        list[Path] | None,
        typer.Option(
            "--warm-start",
            metavar="RUN",
            help="tell the search of this earlier run's trials, which do not count as its own; repeatable",
            parser=input_folder,
        ),
    ] = None,
    forget_memory: Annotated[
        bool,
        typer.Option(
            "--forget-memory", help="try again what ran out of memory, and what is as large: there is more of it now"
        ),
    ] = False,
    cold: Annotated[
        bool, typer.Option("--cold", help="let every trial import TensorFlow itself, instead of forking from a server")
    ] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="then train the best and the base config again, as boxtune confirm does")
    ] = False,
) -> None:
    """Search on this machine, until the Experiment's counts, goal or the budget end it.

    Trials run as on Katib: the same command, with folders in the place of the pod's volumes. What happens is written
    to RUN/journal.jsonl; whatever interrupts the run, the same command goes on from there, and trials from their
    checkpoints. maxTrialCount, parallelTrialCount and maxFailedTrialCount may be edited in between.

    Examples: boxtune run experiment.yaml --volume data=/data/drones --budget 8h
    boxtune run experiment.yaml --volume data=/data/drones --algorithm asha --trials 50 --max-steps 200000 --confirm
    boxtune run more.yaml --volume data=/data/drones --algorithm asha --warm-start runs/drones
    """
    goes_on = (experiment / JOURNAL_FILE).is_file()
    if goes_on and (out is not None or name is not None):
        raise InputError(
            f"{experiment}: is the folder of a run, which goes on where it lies; leave --out and --name out"
        )
    begun = begun_with(experiment) if goes_on else Beginning(load_experiment(experiment, name), {}, {})
    loaded = with_counts(with_algorithm(begun.experiment, algorithm), trials, None)
    options = RunOptions(
        volumes={**begun.volumes, **volumes_of(volume)},
        keep=Keep.parse(keep),
        budget=seconds_of("--budget", budget) if budget is not None else None,
        most_steps=max_steps,
        num_steps=begun.options.get("num_steps") if num_steps is None else num_steps,
        baseline=baseline and begun.options.get("baseline", True),
        stall_seconds=seconds_of("--stall-timeout", stall_timeout),
        cold=cold,
        reuse=reuse,
        parallel=parallel_of(parallel),
        gone_on_with=tuple(continued or ()),
        warm_start=tuple(warm_start or ()),
        forget_memory=forget_memory,
    )
    folder = experiment if goes_on else out or Path("runs") / "-".join(filter(None, (loaded.name, algorithm)))
    if check and not os.path.exists(folder / JOURNAL_FILE):
        _check(loaded, experiment, options)
    if confirm:
        refuse_without_seed(Template(loaded, options.volumes, options.num_steps), experiment)
    console = Console(highlight=False)
    with make_listener(console) as listener:
        engine = LocalEngine(loaded, folder, options, listener)
        try:
            engine.run()
        except BoxtuneError as problem:
            if not (confirm and isinstance(problem, BudgetSpent)):
                print_run(open_run(folder))
                raise
    if confirm:
        from boxtune.cli.confirm import confirmed
        from boxtune.delivery.confirming import ConfirmOptions

        confirmed(folder, ConfirmOptions(options))
    else:
        print_run(open_run(folder))


def _check(experiment: Experiment, file: Path, options: RunOptions) -> None:
    """Raises InputError where trials would fail on the config or the data."""
    errors = trial_errors(experiment, options.volumes)
    if errors:
        more = f"; {len(errors) - 1} more" if len(errors) > 1 else ""
        advice = f"boxtune check {file} says all; --no-check runs it all the same"
        raise InputError(f"{file}: {errors[0].placed}{more} ({advice})")
