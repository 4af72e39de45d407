"""`boxtune train`."""

from __future__ import annotations

import shlex
import statistics
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from boxtune.cli.options import volumes_of
from boxtune.cli.paths import is_config, place
from boxtune.cli.printing import console
from boxtune.cli.targets import Context, Namespace, open_target
from boxtune.delivery.recipe import Recipe, config_recipe, run_recipe
from boxtune.delivery.training import TrainOptions
from boxtune.delivery.training import train as train_recipe
from boxtune.delivery.training_record import TrainingRecord
from boxtune.errors import InputError
from boxtune.report.text import number
from trial_entry.contract.metrics import MAP, MAP_50, PRECISION, RECALL
from trial_entry.storage.urls import is_remote

_MODELS = Path("models")
_MOST_SEED = 2**31


def train(
    source: Annotated[
        str, typer.Argument(metavar="RUN|NAME|CONFIG", help="a run's folder, an Experiment on the cluster, or a config")
    ],
    trial: Annotated[
        str | None, typer.Option(metavar="NAME", help="this trial of the run (default: the best), or baseline")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="where the model goes, gs:// too (models/EXPERIMENT, or models/CONFIG'S FOLDER)",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="train this many times, each with a seed of its own")] = 1,
    seed: Annotated[
        int | None, typer.Option(min=0, max=_MOST_SEED, help="the first seed; a training from the start")
    ] = None,
    eval_every: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="steps between evaluations (default: as the trials had it)")
    ] = None,
    deterministic: Annotated[
        bool | None, typer.Option("--deterministic", help="the same seed gives the same numbers on this machine")
    ] = None,
    volume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="where a volume of a cluster's pod lies here; its paths become these"),
    ] = None,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Train the best trial's config to its full number of steps: the model.

    Goes on from the trial's own checkpoint where that is on this machine and its schedule is the same; --seed and
    --seeds train from the start. The same command goes on where it was interrupted. Of several seeds the best on the
    validation split is the model.

    Example: boxtune train runs/quick-start --out model
    """
    recipe = _recipe(source, trial, volume, context, namespace)
    folder = out or str(_MODELS / (recipe.record.experiment or Path(source).resolve().parent.name))
    command = ["boxtune", *sys.argv[1:]]
    record = train_recipe(recipe, TrainOptions(place(folder), seeds, seed, eval_every, deterministic, command))
    _print(record)
    print(f"the model: {folder} ({record.chosen})")
    more = " --out DIR" if is_remote(folder) else ""
    print(f"next: boxtune evaluate {shlex.quote(folder)}{more}")


def _recipe(
    source: str, trial: str | None, volume: list[str] | None, context: str | None, namespace: str | None
) -> Recipe:
    if not is_config(source):
        return run_recipe(open_target(source, context, namespace), source, trial, volumes_of(volume))
    if trial is not None:
        raise InputError(f"--trial {trial}: {source} is a config, which has no trials; name a run")
    return config_recipe(place(source))


def _print(record: TrainingRecord) -> None:
    names = list(dict.fromkeys((record.objective, MAP, MAP_50, PRECISION, RECALL)))
    table = Table("seed", "step", *names, "", box=None, pad_edge=False)
    for each in record.seeds:
        marks = [
            *(["← the model"] if each.folder == record.chosen else []),
            *([each.diverged] if each.diverged else []),
        ]
        values = [number(each.metrics.get(name)) for name in names]
        table.add_row(str(each.seed), str(each.step), *values, ", ".join(marks))
    out = console()
    out.print(table)
    measured = [each.metrics[record.objective] for each in record.seeds if record.objective in each.metrics]
    if len(measured) > 1:
        mean, spread = statistics.mean(measured), statistics.stdev(measured)
        out.print(f"{record.objective} of {len(measured)} seeds: {mean:.4f} ± {spread:.4f} (standard deviation)")
