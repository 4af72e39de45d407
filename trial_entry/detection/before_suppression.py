"""Detection's view of a model's boxes before suppression: what goes into the API's post-processing, as sparse rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trial_entry.errors import ConfigError
from trial_entry.measuring.raw_detections import RawCollector, RawImage
from trial_entry.measuring.suppression import Candidates, Suppression

if TYPE_CHECKING:
    import tensorflow as tf
    from object_detection.core.model import DetectionModel

LEAST_FLOOR = 0.001  # of a score: detections below it do not move a metric, and are nearly all of the anchors
_LABEL_OFFSET = 1  # the API's classes begin at 0 within a model, at 1 in a label map
_SUPPRESSORS = ("_second_stage_nms_fn", "_non_max_suppression_fn")  # of Faster R-CNN, of SSD
_UNLIKE = ("use_static_shapes", "use_combined_nms", "use_partitioned_nms")
_WHERE = "post_processing.batch_non_max_suppression"


@dataclass
class Recorded:
    """What was given to the suppression.

    Attributes:
        suppression: how the config asks for it.
        rows: tensors by name, once the model's postprocess was called.
    """

    suppression: Suppression
    rows: dict[str, tf.Tensor] = field(default_factory=dict)


@contextmanager
def recorded_suppression(model: DetectionModel) -> Iterator[Recorded]:
    """Within, the model's postprocess also leaves what it gives to the suppression.

    Raises:
        ConfigError: the model suppresses nothing, or in a way that cannot be done again.
    """
    name = next((each for each in _SUPPRESSORS if getattr(model, each, None) is not None), None)
    if name is None:
        raise ConfigError("--raw_detections: this model suppresses nothing, so there is nothing to suppress again")
    original = getattr(model, name)
    recorded = Recorded(_suppression(original.keywords))

    def record(boxes: tf.Tensor, scores: tf.Tensor, **options: object) -> object:
        change = bool(options.get("change_coordinate_frame", original.keywords["change_coordinate_frame"]))
        recorded.suppression = _suppression({**original.keywords, "change_coordinate_frame": change})
        floor = floor_of(recorded.suppression)
        recorded.rows = _rows(boxes, scores, options["clip_window"], options.get("num_valid_boxes"), floor)
        return original(boxes, scores, **options)

    setattr(model, name, record)
    try:
        yield recorded
    finally:
        setattr(model, name, original)


def floor_of(suppression: Suppression) -> float:
    """The score above which candidates are kept: the config's threshold, where that is no smaller than the floor."""
    return max(suppression.score_threshold, LEAST_FLOOR)


def _suppression(options: Mapping[str, object]) -> Suppression:
    """The builder's arguments of the suppression, typed."""
    unlike = next((name for name in _UNLIKE if options[name]), None)
    if unlike is not None:
        raise ConfigError(f"{_WHERE}.{unlike}: such a suppression cannot be done again; leave --raw_detections out")
    number = {name: float(str(options[name])) for name in ("score_thresh", "iou_thresh", "soft_nms_sigma")}
    return Suppression(
        number["score_thresh"],
        number["iou_thresh"],
        int(str(options["max_size_per_class"])),
        int(str(options["max_total_size"])),
        bool(options["use_class_agnostic_nms"]),
        number["soft_nms_sigma"],
        bool(options["change_coordinate_frame"]),
    )


def _rows(boxes: tf.Tensor, scores: tf.Tensor, window: object, num_valid: object, floor: float) -> dict[str, tf.Tensor]:
    """The candidates of a batch with a score above `floor`.

    Args:
        boxes: [batch, anchors, 1 or classes, 4].
        scores: [batch, anchors, classes].
        window: [4] or [batch, 4].
        num_valid: how many of the anchors are none of padding, [batch]; None for all.
    """
    import tensorflow as tf

    shape = tf.shape(scores)
    wanted = scores > floor
    if num_valid is not None:
        valid = tf.range(shape[1])[None, :] < tf.cast(num_valid, tf.int32)[:, None]
        wanted = tf.logical_and(wanted, valid[:, :, None])
    places = tf.where(wanted)  # [n, 3]: image, anchor, class, in this order
    of_class = places[:, 2] if boxes.shape[2] != 1 else tf.zeros_like(places[:, 2])
    return {
        "raw_places": places,
        "raw_scores": tf.gather_nd(scores, places),
        "raw_boxes": tf.gather_nd(boxes, tf.stack([places[:, 0], places[:, 1], of_class], 1)),
        "raw_windows": tf.broadcast_to(tf.cast(window, tf.float32), [shape[0], 4]),
    }


def collect(
    collector: RawCollector,
    image: int,
    row: int,
    batch: Mapping[str, NDArray[np.generic]],
    truth: Mapping[str, NDArray[np.generic]],
) -> None:
    """Add one image, the `row`th of a batch that `recorded_suppression` has added its tensors to."""
    own = batch["raw_places"][:, 0] == row
    places = batch["raw_places"][own].astype(np.int32)
    candidates = Candidates(
        places[:, 1],
        places[:, 2] + np.int32(_LABEL_OFFSET),
        batch["raw_boxes"][own].astype(np.float32),
        batch["raw_scores"][own].astype(np.float32),
    )
    size, window = (batch[name][row].astype(np.float32) for name in ("raw_sizes", "raw_windows"))
    collector.images.append(RawImage(image, size, window, candidates, dict(truth)))
