"""`boxtune confirm`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from boxtune.cli.options import parallel_of, seconds_of, volumes_of
from boxtune.cli.paths import run_folder
from boxtune.cli.printing import print_run
from boxtune.cli.progress import make_listener
from boxtune.cli.targets import Context, Namespace, is_folder
from boxtune.cluster.confirming import confirm as confirm_experiment
from boxtune.cluster.connection import connect
from boxtune.delivery.confirming import REPEATS, ConfirmOptions
from boxtune.delivery.confirming import confirm as confirm_run
from boxtune.errors import BoxtuneError, RunFolderError
from boxtune.local.keeping import Keep
from boxtune.local.options import RunOptions
from boxtune.local.reading import open_run

Repeats = Annotated[
    int, typer.Option(min=2, max=100, metavar="N", help="trainings of the winner, and of the base config, in all")
]
Group = Annotated[
    str, typer.Option(metavar="REGEX", help="what of an image's name is its flight, film or picture; or folder")
]


def confirm(
    target: Annotated[
        str, typer.Argument(metavar="RUN|NAME", help="the folder of a run, or an Experiment on the cluster")
    ],
    repeats: Repeats = REPEATS,
    volume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="the folder that stands for a volume, as for boxtune run; repeatable"),
    ] = None,
    split: Annotated[
        Literal["test", "validation"] | None,
        typer.Option(help="where they are measured (default: the eval_input_reader called test, if there is one)"),
    ] = None,
    group: Group = "none",
    parallel: Annotated[
        str | None, typer.Option(metavar="N|auto", help="trainings at a time, as for boxtune run")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="keep the checkpoints of trainings that have been measured")
    ] = False,
    stall_timeout: Annotated[
        str, typer.Option(metavar="TIME", help="end a training that neither prints nor computes for this long")
    ] = "10m",
    cold: Annotated[
        bool,
        typer.Option("--cold", help="let every training import TensorFlow itself, instead of forking"),
    ] = False,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Find out whether the best of a search is better than the base config, or was lucky.

    Its own number is too good: it was chosen for being high. So the best three configs are trained once more, each with
    a seed of its own, and the base config; the winner by both numbers, and the base config, until there are --repeats
    of each. These alone make the estimate, measured on the test split where the config has one, once. The same command
    goes on where it was interrupted, and with a larger --repeats adds what is missing.

    Of an Experiment on a cluster the trainings are Jobs beside it, and measured on the validation split.

    Example: boxtune confirm runs/quick-start --volume data=data
    """
    if not is_folder(target, context, namespace):
        confirmed_on_cluster(target, repeats, context, namespace)
        return
    options = RunOptions(
        volumes=volumes_of(volume),
        keep=Keep(None) if keep else Keep(0),
        stall_seconds=seconds_of("--stall-timeout", stall_timeout),
        cold=cold,
        parallel=parallel_of(parallel),
    )
    confirmed(run_folder(target), ConfirmOptions(options, repeats, split, group))


def confirmed_on_cluster(name: str, repeats: int, context: str | None, namespace: str | None) -> None:
    """Confirm an Experiment on a cluster, and print it."""
    cluster = connect(context, namespace)
    with make_listener(Console(highlight=False)) as listener:
        run = confirm_experiment(cluster, name, repeats, listener.changed, listener.notice)
    print_run(run)


def confirmed(folder: Path, options: ConfirmOptions) -> None:
    """Confirm a run, and print it."""
    with make_listener(Console(highlight=False)) as listener:
        try:
            confirm_run(folder, options, listener)
        except RunFolderError:
            raise
        except BoxtuneError:
            print_run(open_run(folder))
            raise
    print_run(open_run(folder))
