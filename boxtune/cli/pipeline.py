"""`boxtune pipeline`."""

from __future__ import annotations

import typer

from boxtune.cli.commands import PipelineSubcommands

_HELP = """From an Experiment and records (or annotated images) to a published model, on Kubeflow Pipelines or here.

\b
    boxtune pipeline list                                                  the pipelines and their parameters
    boxtune pipeline run tune_and_train --experiment e.yaml --data data    on this machine
    boxtune pipeline compile tune_and_train --claim boxtune-data=/data     the YAML, to upload it
"""

pipeline = typer.Typer(
    name="pipeline",
    cls=PipelineSubcommands,
    help=_HELP,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@pipeline.callback()
def _options() -> None:
    """What stands before a subcommand."""
