"""Measuring's file of an evaluation: ground truth as COCO's JSON has it, and beside it the detections and names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trial_entry.errors import DataError
from trial_entry.measuring.detections import Detections

_LISTS = ("images", "annotations", "categories", "detections")


@dataclass(frozen=True)
class NamedDetections:
    """An evaluation, image by image.

    Attributes:
        detections: ground truth and detections.
        names: of the images' files, by id; without those that have none.
        class_names: the name of each class as it stands in `mAP_class_NAME`.
    """

    detections: Detections
    names: Mapping[int, str]
    class_names: Mapping[int, str]

    def write(self, file: Path) -> None:
        """Write it in one step; images without a name have the text of their id as `file_name`, as COCO asks for one.

        Raises:
            OSError: it cannot be written.
        """
        held = self.detections
        truth = held.truth()
        images = [{**each, "file_name": self.names.get(each["id"], str(each["id"]))} for each in truth["images"]]
        classes = [{**each, "metric_name": self.class_names.get(each["id"], "")} for each in truth["categories"]]
        whole = {**truth, "images": images, "categories": classes, "detections": held.results}
        temporary = file.with_name(file.name + ".tmp")
        temporary.write_text(json.dumps(whole, separators=(",", ":")), encoding="utf-8")
        temporary.replace(file)

    @classmethod
    def read(cls, file: Path) -> NamedDetections:
        """What `write` wrote.

        Raises:
            DataError: it is missing or something else.
        """
        try:
            images, annotations, categories, results = map(json.loads(file.read_text(encoding="utf-8")).get, _LISTS)
            found = Detections(
                [{"id": each["id"], "name": each["name"]} for each in categories],
                [{"id": each["id"]} for each in images],
                annotations,
                results,
            )
            names = {each["id"]: each["file_name"] for each in images}
            return cls(found, names, {each["id"]: each["metric_name"] for each in categories if each["metric_name"]})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{file}: no detections of evaluate --detections: {error!r}") from None
