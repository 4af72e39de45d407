"""What the page shows of an evaluation of the best trial's checkpoint, where there is one."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trial_entry.contract.records import ClassRecord, PictureRecord, read_details, read_evaluation


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        record: its size and boxes.
        source: the picture itself, for an `<img>`.
    """

    record: PictureRecord
    source: str


@dataclass(frozen=True)
class Details:
    """An evaluation of the best trial's checkpoint.

    Attributes:
        metrics: all of it, measured again.
        classes: a row a class, with its precision-recall curve.
        images: pictures with their boxes.
        num_images: how many were evaluated.
        score_threshold: below it a detection is not drawn.
        missing: why there is nothing of all this, or empty.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    classes: Sequence[ClassRecord] = ()
    images: Sequence[Picture] = ()
    num_images: int = 0
    score_threshold: float = 0.5
    missing: str = ""


def read_found(folder: Path, pictures: int) -> Details | None:
    """What an earlier evaluation left in `folder`; None where there is none with as many pictures."""
    found = read_details(folder)
    if found is None or found.pictures != pictures:
        return None
    images = [Picture(image, _inline(folder / image.file)) for image in found.images]
    metrics = read_evaluation(folder).metrics
    return Details(metrics, found.classes, images, found.num_images, found.score_threshold)


def _inline(file: Path) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(file.read_bytes()).decode()}"
