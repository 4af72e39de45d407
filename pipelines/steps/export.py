"""The step that exports a model, each format compared with the checkpoint: as `boxtune export` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxtune.delivery.exporting import ExportOptions
from boxtune.delivery.exporting import export as export_model
from boxtune.delivery.model import open_model
from boxtune.errors import InputError
from pipelines.steps.datasets import dataset_folder
from trial_entry.contract.metrics import MAP


@dataclass(frozen=True)
class ExportAsked:
    """What is to be exported.

    Attributes:
        model: the path of the model's artifact.
        dataset_path, dataset: of the Dataset artifact: path on this machine, metadata.
        formats: which; none for all that the model can.
    """

    model: str
    dataset_path: str
    dataset: Mapping[str, object]
    formats: Sequence[str] = ()


def export(asked: ExportAsked, out: Path, about: dict[str, object], measured: dict[str, float]) -> None:
    """Export; `out` is then what `boxtune export --out` leaves.

    Args:
        about: takes what the Model artifact says of itself.
        measured: takes size and mAP of each format.

    Raises:
        InputError: a format that was asked for cannot be had, or is not as good as the checkpoint.
        Interrupted: a signal came.
    """
    dataset_folder(asked.dataset_path, asked.dataset)  # the model's config names files in it
    exported = export_model(
        open_model(asked.model), ExportOptions(tuple(asked.formats), out), lambda line: print(line, flush=True)
    )
    for each in exported.record.formats:
        print(f"{each.format}: {each.verdict}{f': {each.reason}' if each.reason else ''}", flush=True)
        if each.bytes is not None:
            measured[f"{each.format}_bytes"] = each.bytes
        if each.metrics and MAP in each.metrics:
            measured[f"{each.format}_{MAP}"] = each.metrics[MAP]
    if exported.failure:
        raise InputError(exported.failure)
    files = {each.format: each.file for each in exported.record.formats if each.file is not None}
    about |= {"framework": "tensorflow", "step": exported.record.step, "formats": files}
