"""Measuring's raw detections: an evaluation's boxes before suppression, in a file; metrics under any suppression.

Kept is what has a score above a floor, one row a box and class: anchor, class, box, score; with every image's size and
window, and the ground truth. Uncompressed a row takes 28 bytes: an SSD of 2,000 anchors and 5 classes has at
most 10,000 rows an image, 0.3 MB; how many are above the floor depends on the training. The file is NumPy's
compressed .npz.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from trial_entry.errors import DataError, RequestError
from trial_entry.measuring.all_metrics import all_metrics
from trial_entry.measuring.detections import Category, Detections, Numbers
from trial_entry.measuring.suppression import Candidates, Floats, Suppression, is_kept, suppress

_NAMES = ("anchors", "labels", "boxes", "scores", "truth_boxes", "truth_classes", "truth_is_crowd")


@dataclass(frozen=True)
class RawImage:
    """One image.

    Attributes:
        id: its id.
        size: [2], height and width in pixels.
        window: [4], what boxes are clipped to, in their own frame.
        candidates: before suppression.
        truth: `boxes` [n, 4] in pixels, `classes` [n] and `is_crowd` [n].
    """

    id: int
    size: Floats
    window: Floats
    candidates: Candidates
    truth: Mapping[str, Numbers]


@dataclass(frozen=True)
class RawDetections:
    """A whole evaluation before suppression.

    Attributes:
        images: in the order of their evaluation.
        suppression: the config's.
        floor: candidates are those with a score above it.
        labels: the label of each class.
        class_names: the name of each class as it stands in `mAP_class_NAME`.
    """

    images: tuple[RawImage, ...]
    suppression: Suppression
    floor: float
    labels: Mapping[int, str]
    class_names: Mapping[int, str]

    def detections(self, suppression: Suppression) -> Detections:
        """What remains under `suppression`.

        Raises:
            RequestError: it asks for boxes that were not kept.
        """
        if not is_kept(self.floor, suppression):
            what = f"score threshold {suppression.score_threshold:g}: boxes were kept from {self.floor:g} on"
            raise RequestError(f"{what}; take a higher threshold, or evaluate again with a lower one in the config")
        categories: list[Category] = [{"id": number, "name": label} for number, label in self.labels.items()]
        found = Detections(categories)
        for image in self.images:
            left = suppress(image.candidates, image.window, suppression)
            boxes = left.boxes * np.tile(image.size, 2)
            found.add(image.id, image.truth, {"boxes": boxes, "classes": left.labels, "scores": left.scores})
        return found

    def metrics(self, suppression: Suppression, score_threshold: float) -> dict[str, float]:
        """All metrics of the boxes that remain under `suppression`; see `all_metrics`.

        Raises:
            RequestError: it asks for boxes that were not kept.
        """
        return all_metrics(self.detections(suppression), self.class_names, score_threshold)

    def write(self, file: Path) -> None:
        """Write all of it, in one step.

        Raises:
            OSError: it cannot be written.
        """
        settings = {
            "suppression": asdict(self.suppression),
            "floor": self.floor,
            "labels": list(self.labels.items()),
            "class_names": list(self.class_names.items()),
        }
        temporary = file.with_name(file.name + ".tmp")
        with temporary.open("wb") as opened:
            np.savez_compressed(opened, **_arrays(self.images), settings=np.array(json.dumps(settings)))  # type: ignore[arg-type]  # its stub takes every name for a switch
        temporary.replace(file)

    @classmethod
    def read(cls, file: Path) -> RawDetections:
        """What `write` wrote.

        Raises:
            DataError: it is missing or something else.
        """
        try:
            with np.load(file, allow_pickle=False) as loaded:
                arrays = {name: loaded[name] for name in loaded.files}
            settings = json.loads(str(arrays["settings"]))
            return cls(
                tuple(_images(arrays)),
                Suppression(**settings["suppression"]),
                float(settings["floor"]),
                {int(number): str(label) for number, label in settings["labels"]},
                {int(number): str(name) for number, name in settings["class_names"]},
            )
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise DataError(f"{file}: no raw detections of evaluate --raw_detections: {error}") from None


def _arrays(images: tuple[RawImage, ...]) -> dict[str, NDArray[np.generic]]:
    """Every image's rows one after another, and how many of each are whose."""
    rows = [_row(image) for image in images]
    found = {name: np.concatenate([row[name] for row in rows]) for name in (_NAMES if rows else ())}
    found["ids"] = np.array([image.id for image in images], np.int64)
    found["sizes"] = np.array([image.size for image in images], np.float32)
    found["windows"] = np.array([image.window for image in images], np.float32)
    found["candidates"] = np.array([len(image.candidates.scores) for image in images], np.int64)
    found["truths"] = np.array([len(image.truth["boxes"]) for image in images], np.int64)
    return found


def _row(image: RawImage) -> dict[str, NDArray[np.generic]]:
    kept = image.candidates
    truth = {f"truth_{name}": value for name, value in image.truth.items()}
    return {"anchors": kept.anchors, "labels": kept.labels, "boxes": kept.boxes, "scores": kept.scores, **truth}


def _images(arrays: Mapping[str, NDArray[np.generic]]) -> Iterator[RawImage]:
    ends = {name: np.cumsum(arrays[name]) for name in ("candidates", "truths")}
    for place, number in enumerate(arrays["ids"]):
        own, truths = (slice(end[place] - arrays[name][place], end[place]) for name, end in ends.items())
        yield RawImage(
            int(number),
            arrays["sizes"][place].astype(np.float32),
            arrays["windows"][place].astype(np.float32),
            Candidates(
                arrays["anchors"][own].astype(np.int32),
                arrays["labels"][own].astype(np.int32),
                arrays["boxes"][own].astype(np.float32),
                arrays["scores"][own].astype(np.float32),
            ),
            {name: arrays[f"truth_{name}"][truths] for name in ("boxes", "classes", "is_crowd")},
        )


@dataclass
class RawCollector:
    """Takes the images of an evaluation as they come.

    Attributes:
        images: so far.
        suppression: the config's, once the graph is traced.
        floor: likewise.
    """

    images: list[RawImage] = field(default_factory=list)
    suppression: Suppression | None = None
    floor: float = 0.0

    def collected(self, labels: Mapping[int, str], class_names: Mapping[int, str]) -> RawDetections:
        """All of it, after an evaluation."""
        assert self.suppression is not None
        return RawDetections(tuple(self.images), self.suppression, self.floor, labels, class_names)
