"""Delivery's exports: a model in the formats that others run, by `python -m trial_entry export`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.published import IMPORT, beside, read_import
from boxtune.delivery.asking import ask, request_errors, to_standard_error
from boxtune.delivery.model import Model
from boxtune.errors import InputError
from trial_entry.contract.export_requests import ExportRequest
from trial_entry.contract.exports import ExportRecord, TilingRecord, read_export
from trial_entry.contract.files import EXPORT_FILE, EXPORT_FOLDER
from trial_entry.contract.json_records import from_json
from trial_entry.errors import ModelDirError
from trial_entry.pipeline_config.existing import absolute_path
from trial_entry.pipeline_config.inputs import record_files
from trial_entry.pipeline_config.text import read_config


@dataclass(frozen=True)
class ExportOptions:
    """How a model is to be exported; the fields are those of `trial_entry`'s ExportRequest.

    Attributes:
        formats: which; none for all that the model can.
        out: the folder to write; None for MODEL/export.
    """

    formats: Sequence[str] = ()
    out: Path | None = None
    compare: int = 0
    no_compare: bool = False
    representative: int = 100
    score_threshold: float = 0.5
    loss: float = 0.005
    int8_loss: float = 0.05
    lost_classes: bool = False


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: where.
        record: its export.json.
        failure: what was asked for and is not in it, in one line; empty where all is.
    """

    folder: Path
    record: ExportRecord
    failure: str = ""


def export(model: Model, options: ExportOptions, say: Callable[[str], None] = to_standard_error) -> Exported:
    """Export a model; each file is loaded again and compared with the checkpoint on the validation images.

    Args:
        say: is told what happens, a line at a time.

    Raises:
        InputError: nothing could be exported; the message says why.
    """
    folder = options.out or model.folder / EXPORT_FOLDER
    if options.out is None and model.is_fixed:
        raise InputError(f"{model.place}: nothing can be written beside it; name a folder with --out")
    before = _record(folder)
    request = ExportRequest(
        pipeline_config_path=model.config,
        model_dir=model.folder,
        checkpoint=model.checkpoint,
        output=folder,
        formats=tuple(options.formats),
        compare=options.compare,
        no_compare=options.no_compare,
        representative=options.representative,
        score_threshold=options.score_threshold,
        loss=options.loss,
        int8_loss=options.int8_loss,
        lost_classes=options.lost_classes,
        tiling=training_tiling(model),
    )
    failure = ""
    try:
        ask(request, say)
    except InputError as wrong:
        failure = str(wrong)
    record = _record(folder)
    if record is None or (failure and record == before):
        raise InputError(failure)
    return Exported(folder, record, failure)


def training_tiling(model: Model) -> TilingRecord | None:
    """How the images were cut that the model was trained on, as their import noted beside the records; None where they
    were not, or the records are not on this machine.

    Raises:
        InputError: the model's config is none.
    """
    with request_errors():
        folder = model.config.parent
        reader = read_config(model.config).train_input_reader
        noted_in = beside([absolute_path(path, folder) for path in record_files(reader)], IMPORT)
    noted = read_import(noted_in[0].parent).get("tiling") if noted_in else None
    try:
        return None if noted is None else from_json(TilingRecord, noted, "import.json: tiling")
    except ModelDirError:
        return None


def _record(folder: Path) -> ExportRecord | None:
    if not (folder / EXPORT_FILE).is_file():
        return None
    with request_errors():
        return read_export(folder)
