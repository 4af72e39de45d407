"""Detection's details of one evaluation, for a report: curves, a table by class, images with their boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trial_entry.contract.files import DETAILS_FILE
from trial_entry.contract.json_records import to_json
from trial_entry.contract.records import BoxRecord, ClassRecord, DetailsRecord, PictureRecord
from trial_entry.detection.evaluation import Evaluator
from trial_entry.measuring.coco_metrics import ClassDetails, class_details
from trial_entry.measuring.detections import Annotation, Result
from trial_entry.measuring.mistakes import ImageBoxes, boxes_by_image, chosen_images
from trial_entry.model_dir import write_json
from trial_entry.records.label_map import LabelMap

_EDGE = 480  # pixels of the longer edge of a picture in a report


def write_details(
    evaluator: Evaluator,
    label_map: LabelMap,
    names: Mapping[int, str],
    folder: Path,
    threshold: float,
    pictures: int,
) -> None:
    """Write `details.json` and `pictures` JPEG files about the evaluation that `evaluator` made last.

    Half of the pictures are those with the most mistakes (missed objects and false detections above `threshold`),
    the others lie evenly among the rest.

    Args:
        names: of the images' files, by id.
    """
    detections = evaluator.detections
    assert detections is not None
    classes = tuple(_class(each, label_map) for each in class_details(detections, threshold))
    chosen = chosen_images(detections, threshold, pictures)
    folder.mkdir(parents=True, exist_ok=True)
    boxes, album = boxes_by_image(detections, threshold), _Album(folder, label_map, names)
    images = [album.add(image, pixels, size, boxes[image]) for image, pixels, size in evaluator.images(chosen)]
    images.sort(key=lambda each: chosen.index(each.id))
    found = DetailsRecord(threshold, classes, tuple(images), len(detections.images), pictures)
    write_json(folder / DETAILS_FILE, to_json(found))


def _class(details: ClassDetails, label_map: LabelMap) -> ClassRecord:
    return ClassRecord(
        label_map.labels[details.category],
        details.objects,
        details.average_precision,
        details.average_precision_50,
        details.precision,
        details.recall,
        details.curve,
    )


@dataclass(frozen=True)
class _Album:
    """Where pictures are written, and what their classes are called."""

    folder: Path
    label_map: LabelMap
    names: Mapping[int, str]

    def add(self, image: int, pixels: NDArray[np.uint8], size: tuple[int, int], boxes: ImageBoxes) -> PictureRecord:
        """Write one image, small enough for a page; its boxes as shares of its edges.

        Args:
            size: height and width of the image that its boxes are in.
        """
        height, width = size
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        scale = min(1.0, _EDGE / max(size))  # a model that takes squares sees it out of proportion
        picture = picture.resize((max(1, round(width * scale)), max(1, round(height * scale))))
        file = f"image-{image}.jpg"
        picture.convert("RGB").save(self.folder / file, quality=80)
        truth, found = self._boxes(boxes.truth, width, height), self._boxes(boxes.found, width, height)
        return PictureRecord(image, file, picture.width, picture.height, truth, found, self.names.get(image, ""))

    def _boxes(self, boxes: Sequence[Annotation] | Sequence[Result], width: int, height: int) -> tuple[BoxRecord, ...]:
        edges = (width, height, width, height)
        found = []
        for each in boxes:
            score = each.get("score")
            box = tuple(round(value / edge, 5) for value, edge in zip(each["bbox"], edges, strict=True))
            label = self.label_map.labels[each["category_id"]]
            found.append(BoxRecord(label, box, round(score, 3) if isinstance(score, float) else None))
        return tuple(found)
