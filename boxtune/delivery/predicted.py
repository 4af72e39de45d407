"""Delivery's predictions: what a model found in images, as COCO's files have it and drawn on the images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import ImageDraw

from boxtune.data.sheet.cutouts import TileBox
from boxtune.data.sheet.drawing import TextStyle, draw_boxes, write_line
from trial_entry.images.reading import picture_of
from trial_entry.model_dir import write_atomically

PREDICTIONS_FILE, RESULTS_FILE, DRAWN_FOLDER = "predictions.json", "results.json", "drawn"
_EDGE = 1600  # pixels of the longer edge of a drawn image
_LEAST_EDGE = 480  # likewise: a small one is drawn larger, so that its labels can be read
_TEXT = 13  # pixels
_LABEL = TextStyle(_TEXT, (0, 0, 0), (255, 176, 0))
_QUALITY = 90


@dataclass(frozen=True)
class PredictedBox:
    """One detection.

    Attributes:
        label: its number in the label map.
        box: left, top, width, height in pixels.
        score: from 0 to 1.
    """

    label: int
    box: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True)
class PredictedImage:
    """One image.

    Attributes:
        file: its path.
        name: as the files say it: relative to what all images have in common.
        width, height: as seen, in pixels.
        boxes: the surest first.
    """

    file: Path
    name: str
    width: int
    height: int
    boxes: Sequence[PredictedBox]


def write_predictions(folder: Path, images: Sequence[PredictedImage], labels: Mapping[str, str], info: object) -> None:
    """Write `predictions.json`, a data set as COCO has it with scores, and `results.json`, for pycocotools' loadRes.

    Args:
        labels: name by number, as text.
        info: of the data set.

    Raises:
        OSError: they cannot be written.
    """
    results: list[dict[str, Any]] = [
        {"image_id": number, "category_id": each.label, "bbox": list(each.box), "score": each.score}
        for number, image in enumerate(images, start=1)
        for each in image.boxes
    ]
    annotations = [
        {"id": number, **each, "area": round(each["bbox"][2] * each["bbox"][3], 2), "iscrowd": 0}
        for number, each in enumerate(results, start=1)
    ]
    dataset = {
        "info": info,
        "images": [
            {"id": number, "file_name": each.name, "width": each.width, "height": each.height}
            for number, each in enumerate(images, start=1)
        ],
        "categories": [{"id": int(number), "name": label} for number, label in labels.items()],
        "annotations": annotations,
    }
    write_atomically(folder / PREDICTIONS_FILE, json.dumps(dataset) + "\n")
    write_atomically(folder / RESULTS_FILE, json.dumps(results) + "\n")


def draw_predictions(folder: Path, image: PredictedImage, labels: Mapping[str, str]) -> Path:
    """Write the image with its boxes, classes and scores as a JPEG below `folder`; a large one smaller, a small larger.

    Raises:
        Undecodable: the image cannot be read.
        OSError: it cannot be written.
    """
    picture = picture_of(image.file, _EDGE)
    factor = max(1, _LEAST_EDGE // max(picture.size))
    if factor > 1:
        picture = picture.resize((picture.width * factor, picture.height * factor))
    scale = picture.width / image.width
    boxes = [TileBox(*each.box, labels.get(str(each.label), str(each.label)), True) for each in image.boxes]
    draw_boxes(picture, boxes, scale)
    draw = ImageDraw.Draw(picture)
    for box, each in zip(reversed(boxes), reversed(image.boxes), strict=True):  # the surest last, over the others
        left, top = round(box.x * scale) + 2, round(box.y * scale) - _TEXT - 4
        at = (left, top if top >= 0 else max(0, round(box.y * scale)) + 3)  # within it where there is no room over it
        write_line(draw, at, f"{box.label} {each.score:.2f}", _LABEL, max(8, picture.width - left))
    is_jpeg = PurePosixPath(image.name).suffix.lower() in (".jpg", ".jpeg")
    file = folder / (image.name if is_jpeg else f"{image.name}.jpg")
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, "JPEG", quality=_QUALITY)
    return file
