"""Delivery's page of a look at a split, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from boxtune.data.importing.splitting import VALIDATION
from boxtune.delivery.measured_record import MeasuredRecord
from boxtune.delivery.model import Model
from boxtune.delivery.testing import Measured
from boxtune.errors import InputError
from boxtune.report.details import read_found
from boxtune.report.evaluation_page import evaluation_page
from boxtune.report.metric_line import MetricLine
from trial_entry.contract.metrics import MAP, MAP_50, PRECISION, RECALL
from trial_entry.contract.records import read_details
from trial_entry.model_dir import write_atomically

PAGE_FILE = "report.html"
_FIRST = (MAP, MAP_50, PRECISION, RECALL)


def metric_lines(record: MeasuredRecord) -> list[MetricLine]:
    """Every metric, what people look at first in front, classes last."""
    names = [*(name for name in _FIRST if name in record.metrics), *(n for n in record.metrics if n not in _FIRST)]
    return [_line(record, name) for name in names]


def _line(record: MeasuredRecord, name: str) -> MetricLine:
    found = record.intervals.get(name)
    return MetricLine(name, record.metrics[name], *((found.low, found.high) if found is not None else (None, None)))


def warnings(record: MeasuredRecord) -> Iterator[str]:
    """What makes the numbers less honest than they look."""
    if record.split == VALIDATION:
        yield "The checkpoint, and the config of a search, was chosen by these images, so the numbers are too good."
    if record.confirm_looks:
        yield (
            "boxtune confirm has looked at these images before, to compare the search's best with the base config: if "
            "its answer decided what was gone on with, that was chosen by them."
        )
    if record.look > 1 + record.confirm_looks:
        yield (
            f"This is look {record.look} at these images: what was chosen after an earlier one was chosen by them, and "
            "the numbers are too good by that."
        )
    if record.named:
        yield f"The records were named by hand: {', '.join(record.records)}."
    if record.left_out:
        yield (
            f"{record.left_out} records have a source_id that another has too, and were not measured, as in the API; "
            "give each image its own."
        )
    if record.shared_with_validation:
        yield f"{record.shared_with_validation} of the images validated in the search."
    if record.split != VALIDATION and not record.training_compared:
        yield "The training's records were not here, so nobody has looked whether they share images with these."


def write_page(model: Model, measured: Measured) -> Path:
    """The page of what was measured; returns its file.

    Raises:
        InputError: it cannot be written.
    """
    record, folder = measured.record, measured.folder
    details = read_details(folder)
    assert details is not None  # the evaluation has written it
    found = read_found(folder, details.pictures)
    assert found is not None  # likewise
    groups = f" in {record.groups} groups" if record.groups != record.images else ""
    about = (
        f"{record.images} images{groups} of the {record.split} split, checkpoint {record.checkpoint}, step "
        f"{record.step}; look {record.look} at them."
    )
    facts = [
        ("model", str(model.folder)),
        ("checkpoint", record.checkpoint),
        ("records", ", ".join(record.records)),
        ("data digest", record.data_digest),
    ]
    page = evaluation_page(
        f"{model.place}: {record.split}", about, metric_lines(record), found, facts, list(warnings(record))
    )
    file = folder / PAGE_FILE
    try:
        write_atomically(file, page)
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}") from None
    return file
