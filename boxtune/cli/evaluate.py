"""`boxtune evaluate`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from boxtune.cli.paths import new_folder, shown
from boxtune.cli.printing import console
from boxtune.delivery.measured_page import metric_lines, warnings, write_page
from boxtune.delivery.measured_record import MEASURED_FILE
from boxtune.delivery.model import open_model
from boxtune.delivery.testing import EvaluateOptions, measure
from boxtune.report.text import number


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="what boxtune train made, or a trial's model_dir")],
    split: Annotated[
        Literal["test", "validation"], typer.Option(help="the eval_input_reader called test, or the one that validates")
    ] = "test",
    records: Annotated[
        list[str] | None, typer.Option(metavar="FILES", help="these records instead of the config's; repeatable")
    ] = None,
    label_map: Annotated[str | None, typer.Option(metavar="FILE", help="of --records (default: the config's)")] = None,
    group: Annotated[
        str, typer.Option(metavar="REGEX", help="what of an image's name is its flight, film or picture; or folder")
    ] = "none",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="where what is measured goes (default: into the model's folder)", parser=new_folder
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="measure again what was measured before")] = False,
    score_threshold: Annotated[float, typer.Option(min=0, max=1, help="for precision, recall and pictures")] = 0.5,
    pictures: Annotated[int, typer.Option(min=0, help="how many images with their detections")] = 12,
    resamples: Annotated[int, typer.Option(min=1, help="draws of the bootstrap for the intervals")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="what was measured as JSON")] = False,
) -> None:
    """Measure a model on the test split, once, with intervals; curves, classes, worst images as a page.

    A test is of images that took no part in training or choosing, so its number is honest the first time: what was
    measured before is shown again, and a second look (another checkpoint, --again) is counted and said.

    Example: boxtune evaluate models/quick-start
    """
    found = open_model(model)
    options = EvaluateOptions(
        split, tuple(records or ()), label_map, group, again, out, pictures, score_threshold, resamples
    )
    measured = measure(found, options)
    page = write_page(found, measured)
    if as_json:
        print((measured.folder / MEASURED_FILE).read_text(encoding="utf-8"), end="")
        return
    table = Table("metric", "value", "from", "to", box=None, pad_edge=False)
    for line in metric_lines(measured.record):
        table.add_row(line.name, *(number(value) for value in (line.value, line.low, line.high)))
    screen = console()
    screen.print(table)
    record = measured.record
    groups = f" in {record.groups} groups" if record.groups != record.images else ""
    if not measured.fresh:
        screen.print("measured before, and not again (--again does)")
    screen.print(
        f"{record.split}: {record.images} images{groups}; ranges hold the value 9 times of 10 for other images"
    )
    for warning in warnings(record):
        screen.print(f"note: {warning}", soft_wrap=True)
    screen.print(f"page: {shown(page)}", soft_wrap=True)
    more = " --out DIR" if found.is_fixed else ""
    screen.print(f"next: boxtune export {shlex.quote(model)}{more}", soft_wrap=True)
