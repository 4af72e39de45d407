"""`boxtune submit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxtune.checking.check import CheckOptions
from boxtune.checking.check import check as find
from boxtune.cli.confirm import confirmed_on_cluster
from boxtune.cli.options import ExperimentName, volumes_of
from boxtune.cli.paths import experiment_file, named
from boxtune.cli.targets import Context, Namespace
from boxtune.cli.watch import watch
from boxtune.cluster.connection import connect
from boxtune.cluster.submission import submit as create
from boxtune.cluster.submission import warnings
from boxtune.delivery.confirming import REPEATS
from boxtune.errors import ExperimentError, InputError
from boxtune.experiment.editing import with_generated_name
from boxtune.experiment.loading import load_experiment
from boxtune.problems import errors_of


def submit(
    experiment: Annotated[
        Path,
        typer.Argument(metavar="EXPERIMENT.yaml", help="one Experiment, and its ConfigMaps", parser=experiment_file),
    ],
    baseline: Annotated[
        bool, typer.Option("--baseline", help="also train the base config's own values, as a Job beside the Experiment")
    ] = False,
    confirm: Annotated[
        bool,
        typer.Option("--confirm", help="then follow it, and train the best and the base config again: boxtune confirm"),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="let the cluster check everything, and keep nothing of it")
    ] = False,
    volume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="the folder of a volume here, to open the data; repeatable"),
    ] = None,
    name: ExperimentName = None,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Hand an Experiment to Katib on a cluster, after looking for mistakes as boxtune check --katib does.

    Needs neither kubectl nor the folder of the data. The same again changes nothing (with
    generateName it is another Experiment). With --confirm it stays, as boxtune watch and then boxtune confirm do;
    whatever interrupts it, the same again goes on.

    Example: boxtune submit experiment.yaml -n boxtune && boxtune watch my-experiment -n boxtune
    """
    if confirm and dry_run:
        raise InputError("--dry-run keeps nothing on the cluster, so there will be nothing to --confirm")
    problems = find(experiment, CheckOptions(None, volumes_of(volume), katib=True, build=False, name=name))
    for each in problems:
        typer.echo(named(f"{experiment}:{each.line}: {each}"), err=True)
    if errors_of(problems):
        raise ExperimentError(f"{experiment}: not submitted; mend the errors above")
    loaded = with_generated_name(load_experiment(experiment, name))
    cluster = connect(context, namespace, loaded.namespace)
    for text in warnings(cluster, loaded):
        typer.echo(f"warning: {text}", err=True)
    for line in create(cluster, loaded, baseline, dry_run):
        print(f"{line} (dry run)" if dry_run else line)
    if confirm:
        watch(loaded.name, cluster.namespace, context)
        confirmed_on_cluster(loaded.name, REPEATS, context, cluster.namespace)
    elif not dry_run:
        print(f"watch it: boxtune watch {loaded.name} --namespace {cluster.namespace}")
