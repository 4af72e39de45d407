"""Records' features that a config asks for beyond boxes and classes: masks, keypoints, poses, tracks, context, scores.

The decoder makes a batch unreadable for one record that lacks what it was told to load. The source is
`TfExampleDecoder` of the API's `tf_example_decoder`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trial_entry.pipeline_config.protos import InputReader
from trial_entry.records.examples import ExampleMessage, FeatureMessage
from trial_entry.records.features import BYTES, FLOAT, INT, TYPES, Faults, fault

_PNG_MASKS = 2  # InstanceMaskType
_MASK, _KEYPOINT, _POSE = "image/object/mask", "image/object/keypoint/", "image/object/densepose/"


@dataclass(frozen=True)
class Asked:
    """One feature that a reader asks for.

    Attributes:
        field: the config's field that asks.
        feature: its name.
        kind: the type of its list.
        per_box: how many values for each box; 0 for any number.
        counted_by: the feature whose sum says how many values it has.
        per_image: how many values for each image, with boxes or without; 0 where that follows from the boxes.
        is_mask: whether a box has one value for each pixel of the image.
        optional: whether there is something in its place where it is missing.
    """

    field: str
    feature: str
    kind: str
    per_box: int = 0
    counted_by: str = ""
    per_image: int = 0
    is_mask: bool = False
    optional: bool = False


def asked_of(where: str, reader: InputReader, num_classes: int | None) -> tuple[Asked, ...]:
    """What the records of a reader must have besides.

    Args:
        where: the reader's field path.
        num_classes: of the model; None where nobody says.
    """
    return tuple(_asked_of(where, reader, num_classes or 0))


def _asked_of(where: str, reader: InputReader, classes: int) -> Iterator[Asked]:
    if reader.load_instance_masks:
        png = reader.mask_type == _PNG_MASKS
        kind, field = BYTES if png else FLOAT, f"{where}.load_instance_masks"
        yield Asked(field, _MASK, kind, per_box=int(png), is_mask=not png)
    if points := int(reader.num_keypoints):
        field = f"{where}.num_keypoints"
        yield Asked(field, _KEYPOINT + "x", FLOAT, points)
        yield Asked(field, _KEYPOINT + "y", FLOAT, points)
        yield Asked(field, _KEYPOINT + "visibility", INT, points, optional=True)
        if reader.load_keypoint_depth_features:
            field = f"{where}.load_keypoint_depth_features"
            yield Asked(field, _KEYPOINT + "z", FLOAT, points, optional=True)
            yield Asked(field, _KEYPOINT + "z/weights", FLOAT, points, optional=True)
    if reader.load_dense_pose:
        field = f"{where}.load_dense_pose"
        yield Asked(field, _POSE + "num", INT, 1)
        for name, kind in (("part_index", INT), ("x", FLOAT), ("y", FLOAT), ("u", FLOAT), ("v", FLOAT)):
            yield Asked(field, _POSE + name, kind, counted_by=_POSE + "num")
    if reader.load_track_id:
        yield Asked(f"{where}.load_track_id", "image/object/track/label", INT, 1)
    if reader.load_multiclass_scores:
        field = f"{where}.load_multiclass_scores"
        yield Asked(field, "image/object/class/multiclass_scores", FLOAT, classes, optional=True)
    if reader.load_context_features:
        field = f"{where}.load_context_features"
        yield Asked(field, "image/context_feature_length", INT, per_image=1)
        yield Asked(field, "image/context_features", FLOAT)
    if channels := int(reader.num_additional_channels):
        field = f"{where}.num_additional_channels"
        yield Asked(field, "image/additional_channels/encoded", BYTES, per_image=channels)


def asked_faults(example: ExampleMessage, asked: tuple[Asked, ...], boxes: int, pixels: int) -> Faults:
    """What an image lacks of what is asked for.

    Args:
        boxes: how many it has.
        pixels: of it; 0 where that is not known.
    """
    found = example.features.feature
    faults: Faults = []
    for each in asked:
        feature = found.get(each.feature)
        if feature is not None and (kind := feature.WhichOneof("kind")) not in (None, each.kind):
            what = f"is {TYPES[str(kind)]}, and {each.field} reads it"
            faults.append(fault("type of asked", each.feature, what, f"it must be {TYPES[each.kind]}"))
        elif boxes or each.per_image:
            counter = found.get(each.counted_by)
            wrong = _count_fault(each, _count(feature, each.kind), _wanted(each, counter, boxes, pixels), boxes)
            if wrong is not None:
                faults.append(fault("asked", each.feature, *wrong))
    return faults


def _wanted(each: Asked, counter: FeatureMessage | None, boxes: int, pixels: int) -> int | None:
    """How many values a feature must have; None where any number will do."""
    if each.per_image:
        return each.per_image
    if each.counted_by:
        values = getattr(counter, INT).value if _count(counter, INT) else ()
        return sum(values)
    return boxes * (pixels if each.is_mask else each.per_box) or None


def _count_fault(each: Asked, count: int, wanted: int | None, boxes: int) -> tuple[str, str] | None:
    """What is wrong with the number of a feature's values, and what would be right."""
    right = "write it, or leave that out"
    if count == wanted or (each.optional and not count):
        return None
    if not count:
        return f"is missing, and {each.field} reads it", right
    if wanted is None:
        return None
    of = "an image" if each.per_image else f"{boxes} box{'es' * (boxes != 1)}"
    return f"has {count} value{'s' * (count != 1)} for {of}, and {each.field} reads {wanted}", right


def _count(feature: FeatureMessage | None, kind: str) -> int:
    return 0 if feature is None or feature.WhichOneof("kind") is None else len(getattr(feature, kind).value)
