"""`boxtune`: the command line."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from boxtune.cli.afterwards import do_the_rest
from boxtune.cli.commands import Subcommands
from boxtune.errors import EXIT_DONE, EXIT_INPUT, EXIT_INTERRUPTED, BoxtuneError
from boxtune.last_line import say_why
from trial_entry.contract.versions import versions

_HELP = """Tune a TensorFlow object detector through its pipeline.config.

One Experiment file, in Katib's format, says what to search; boxtune runs it on this machine, or hands it to Katib on a
cluster.

\b
    boxtune demo data                                  make a small data set
    boxtune data import annotations --out data         or records of images of yours
    boxtune parameters pipeline.config                 what can be searched
    boxtune check experiment.yaml                      find mistakes before training
    boxtune speed experiment.yaml --volume data=data   how many trials at a time are fastest
    boxtune run experiment.yaml --volume data=data     search
    boxtune show runs/NAME                             look at it, also while it runs
    boxtune confirm runs/NAME                          is it better? Fresh trainings, and an interval
    boxtune report runs/NAME                           the same as a page with plots
    boxtune dashboard runs/NAME                        the same in optuna-dashboard, live
    boxtune best runs/NAME                             the best trial's pipeline.config

\b
    boxtune train runs/NAME --out model                a model of it: trained to the end
    boxtune evaluate model                             on the test split, once
    boxtune export model                               SavedModel, TensorFlow Lite, ONNX
    boxtune publish model published/NAME               a version; replay makes it again
    boxtune predict published/NAME/1 photos            boxes on images

\b
    boxtune pipeline run tune_and_train --experiment experiment.yaml --data data    all of this as one pipeline
    boxtune pipeline submit tune_and_train ...         the same on Kubeflow Pipelines

\b
    boxtune submit experiment.yaml                     the same search by Katib, on a cluster
    boxtune watch NAME                                 follow it; show, report, dashboard, best, train take NAME too
    boxtune cancel NAME                                end it

Completion of names and options: boxtune --install-completion.

Exit codes: 0 done; 2 the input is wrong, one line says how; 3 too many trials failed, or a replay differs; 130
interrupted, the same command goes on; 1 a bug.
"""

app = typer.Typer(cls=Subcommands, help=_HELP, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(versions())
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Boxtune's and TensorFlow's")
    ] = False,
) -> None:
    """What stands before a subcommand."""


def main() -> None:
    """The console script."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command line; returns the exit code, having said in one line what was wrong."""
    try:
        result = app(args=arguments or ["--help"], standalone_mode=False)
        if result == EXIT_INTERRUPTED:  # what Typer makes of Ctrl-C
            raise KeyboardInterrupt
        do_the_rest()
        return result if isinstance(result, int) else EXIT_DONE
    except BoxtuneError as error:
        return say_why(str(error), error.exit_code)
    except TyperException as error:
        return say_why(error.format_message(), EXIT_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        return say_why("interrupted", EXIT_INTERRUPTED)
