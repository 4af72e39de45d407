"""`boxtune`: the command line."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from boxtune.cli import best, cancel, check, demo, parameters, report, run, show, speed, submit, watch
from boxtune.errors import EXIT_DONE, EXIT_INPUT, EXIT_INTERRUPTED, BoxtuneError

_HELP = """Tune a TensorFlow object detector through its pipeline.config.

One Experiment file, in Katib's format, says what to search; boxtune runs it on this machine, or hands it to Katib on a
cluster.

\b
    boxtune demo data                                  make a small data set
    boxtune parameters pipeline.config                 what can be searched
    boxtune check experiment.yaml                      find mistakes before training
    boxtune speed experiment.yaml --volume data=data   how many trials at a time are fastest
    boxtune run experiment.yaml --volume data=data     search
    boxtune show runs/NAME                             look at it, also while it runs
    boxtune report runs/NAME                           the same as a page with plots
    boxtune best runs/NAME                             the best trial's pipeline.config

\b
    boxtune submit experiment.yaml                     the same search by Katib, on a cluster
    boxtune watch NAME                                 follow it; show and best take its NAME too
    boxtune cancel NAME                                end it

Exit codes: 0 done; 2 the input is wrong, one line says how; 3 too many trials failed; 130 interrupted, the same
command goes on; 1 a bug.
"""

app = typer.Typer(help=_HELP, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command("run", short_help="Search on this machine.")(run.run)
app.command("check", short_help="Find mistakes in an Experiment before training.")(check.check)
app.command("show", short_help="Show a run, also while it goes on.")(show.show)
app.command("report", short_help="Write a run as one HTML page.")(report.report)
app.command("best", short_help="Write the best trial's pipeline.config.")(best.best)
app.command("submit", short_help="Hand an Experiment to Katib on a cluster.")(submit.submit)
app.command("watch", short_help="Follow an Experiment on a cluster.")(watch.watch)
app.command("cancel", short_help="End an Experiment on a cluster.")(cancel.cancel)
app.command("parameters", short_help="List what of a pipeline.config can be searched.")(parameters.parameters)
app.command("speed", short_help="Measure what trains fastest on this machine.")(speed.speed)
app.command("demo", short_help="Make a small data set.")(demo.demo)


def main() -> None:
    """The console script."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command line; returns the exit code, having said in one line what was wrong."""
    try:
        result = app(args=arguments or ["--help"], standalone_mode=False)
        return result if isinstance(result, int) else EXIT_DONE
    except BoxtuneError as error:
        return _say(str(error), error.exit_code)
    except TyperException as error:
        return _say(error.format_message(), EXIT_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        return _say("interrupted", EXIT_INTERRUPTED)


def _say(reason: str, code: int) -> int:
    print(f"boxtune: {' '.join(reason.split())}", file=sys.stderr, flush=True)
    return code
