"""`boxtune best`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.options import volumes_of
from boxtune.cli.paths import output_file, shown
from boxtune.cli.targets import Context, Namespace, open_target
from boxtune.delivery.rendering import rendered_config
from boxtune.errors import InputError
from boxtune.report.answer import answer
from boxtune.runs.trained_config import text_of, trained_config


def best(
    target: Annotated[str, typer.Argument(metavar="NAME|RUN", help="an Experiment on the cluster, or a run's folder")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="where it goes (default: standard output)", parser=output_file)
    ] = None,
    volume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="where a volume of the pod lies here; its paths become these"),
    ] = None,
    namespace: Namespace = None,
    context: Context = None,
) -> None:
    """Write the pipeline.config of the best trial, or of the one that boxtune confirm chose: what to train on with.

    A local run's is the one that the trial ran. A cluster's is rendered again from its assignments: its input paths are
    the pod's, or with --volume this machine's. An Experiment that sets epochs needs --volume for the training records:
    their number decides the number of steps.

    Example: boxtune best my-experiment --volume data=/data/drones --out pipeline.config
    """
    run = open_target(target, context, namespace)
    trial = run.chosen
    if trial is None:
        raise InputError(f"{target}: no trial has succeeded yet, so none is the best")
    ran = trained_config(trial)
    text = text_of(ran) if ran is not None else rendered_config(run, trial, volumes_of(volume))
    if out is None:
        print(text, end="")
    else:
        _write(text, out)
    typer.echo(answer(run), err=True)


def _write(text: str, out: Path) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}") from None
    print(shown(out))
