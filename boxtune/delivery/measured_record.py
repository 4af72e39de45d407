"""Delivery's measured.json: one look of a model at a split, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from boxtune.delivery.record_files import parse_record

MEASURED_FILE = "measured.json"


@dataclass(frozen=True)
class IntervalRecord:
    """A metric with its interval.

    Attributes:
        value: of the images as they are.
        low, high: the interval's ends.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class MeasuredRecord:
    """measured.json.

    Attributes:
        split: such as `test`.
        records: the files.
        data_digest: SHA-256 of the records.
        images, groups: how many, and how many are drawn apart from each other.
        checkpoint: its name, relative to the model's folder.
        checkpoint_digest: SHA-256 of its index, which tells it from others of its name.
        step: of the checkpoint.
        look: which look at these records this is, from 1.
        confirm_looks: how many of those before it were boxtune confirm's, of the search that the model is of.
        score_threshold: for precision and recall.
        metrics: all of them.
        intervals: of some of them, at `level`.
        level: such as 0.9.
        training_compared: whether the training's records were here to be compared with.
        shared_with_validation: how many images of the split validate too.
        named: whether the records were named by hand rather than by the config.
        left_out: records that share another's source_id, and so are not measured.
    """

    split: str
    data_digest: str
    images: int
    groups: int
    checkpoint: str
    step: int
    score_threshold: float
    metrics: Mapping[str, float]
    level: float
    intervals: Mapping[str, IntervalRecord] = field(default_factory=dict)
    records: tuple[str, ...] = ()
    checkpoint_digest: str = ""
    look: int = 1
    confirm_looks: int = 0
    training_compared: bool = False
    shared_with_validation: int = 0
    named: bool = False
    left_out: int = 0


def read_measured(folder: Path) -> MeasuredRecord | None:
    """measured.json of a folder; None where there is none.

    Raises:
        InputError: it is no such record.
    """
    file = folder / MEASURED_FILE
    return parse_record(MeasuredRecord, file.read_bytes(), str(file), "what was measured") if file.exists() else None
