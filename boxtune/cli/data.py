"""`boxtune data`."""

from __future__ import annotations

import typer

from boxtune.cli.commands import DataSubcommands

_HELP = """Make records of annotated images, check them, look at them.

\b
    boxtune data import instances.json --images photos --out data   COCO; VOC, YOLO, CSV and others likewise
    boxtune data check data --config pipeline.config                what ruins a training: boxes, classes, images, leaks
    boxtune data show data --out sheet.html                         boxes on images, odd ones first
    boxtune data priors data --config pipeline.config               anchors and image size that the boxes suggest
"""

data = typer.Typer(
    name="data",
    cls=DataSubcommands,
    help=_HELP,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@data.callback()
def _options() -> None:
    """What stands before a subcommand."""
