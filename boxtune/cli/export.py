"""`boxtune export`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from boxtune.cli.paths import new_folder, shown
from boxtune.cli.printing import console
from boxtune.delivery.exporting import Exported, ExportOptions
from boxtune.delivery.exporting import export as export_model
from boxtune.delivery.model import open_model
from boxtune.errors import InputError
from boxtune.report.text import number
from trial_entry.contract.exports import FORMATS, SAVED_MODEL
from trial_entry.contract.metrics import MAP


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="what boxtune train made, or a trial's model_dir")],
    format: Annotated[
        list[str] | None, typer.Option(metavar="FORMAT", help=f"{', '.join(FORMATS)}; repeatable (all that it can)")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="where the files go (MODEL/export)", parser=new_folder)
    ] = None,
    compare: Annotated[
        int, typer.Option(min=0, metavar="N", help="compare on the first N validation images (0: all)")
    ] = 0,
    no_compare: Annotated[
        bool, typer.Option("--no-compare", "--no_compare", help="compare nothing: no validation records are needed")
    ] = False,
    representative: Annotated[int, typer.Option(min=1, help="training images that set int8's ranges")] = 100,
    score_threshold: Annotated[
        float, typer.Option(min=0, max=1, help="from which score on a detection is worth showing")
    ] = 0.5,
    loss: Annotated[float, typer.Option(min=0, max=1, help="of mAP, that a file may differ by")] = 0.005,
    int8_loss: Annotated[
        float, typer.Option("--int8-loss", "--int8_loss", min=0, max=1, help="of mAP, that int8 may lose")
    ] = 0.05,
    lost_classes: Annotated[
        bool, typer.Option("--lost-classes", "--lost_classes", help="a class may lose all of its mAP")
    ] = False,
) -> None:
    """Export a model as SavedModel, TensorFlow Lite and ONNX, each compared with its checkpoint.

    Every file is loaded again and run on the validation images; one that is not as good as the checkpoint is not kept.
    metadata.json says what each takes and gives. A format that the model cannot have is named with the reason.

    Example: boxtune export models/quick-start --format saved_model --format tflite_int8
    """
    unknown = next((each for each in format or () if each not in FORMATS), None)
    if unknown is not None:
        raise InputError(f"--format {unknown}: there are {', '.join(FORMATS)}")
    options = ExportOptions(
        tuple(format or ()), out, compare, no_compare, representative, score_threshold, loss, int8_loss, lost_classes
    )
    exported = export_model(open_model(model), options)
    _print(exported)
    if exported.failure:
        raise InputError(exported.failure)
    if any(each.format == SAVED_MODEL and each.file is not None for each in exported.record.formats):
        console().print(f"next: boxtune predict {shlex.quote(shown(exported.folder))} IMAGES", soft_wrap=True)


def _print(exported: Exported) -> None:
    record = exported.record
    table = Table("format", "file", "KiB", "mAP of checkpoint", "of export", "verdict", box=None, pad_edge=False)
    for each in record.formats:
        size = f"{each.bytes / 1024:.0f}" if each.bytes is not None else ""
        own, its = (number(metrics.get(MAP)) if each.metrics else "" for metrics in (record.metrics, each.metrics))
        verdict = each.verdict if each.reason is None else f"{each.verdict}: {each.reason}"
        table.add_row(each.format, each.file or "", size, own, its, verdict)
    out = console()
    out.print(table)
    images = f"compared on {record.images} validation images" if record.images else "compared with nothing"
    out.print(f"{shown(exported.folder)}: step {record.step}, {images}", soft_wrap=True)
