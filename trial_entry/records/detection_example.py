"""One image with its objects as the API's records hold them: the features that its TfExampleDecoder reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trial_entry.errors import DataError
from trial_entry.records.label_map import LabelMap

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_Features = dict[str, bytes | list[bytes] | list[float] | list[int]]
_BBOX, _OBJECT = "image/object/bbox/", "image/object/"


@dataclass(frozen=True)
class ExampleObject:
    """One box and what it is.

    Attributes:
        label: the class's number in the label map; 0 where neither number nor text says one.
        text: the class's name; empty where the record has none.
        xmin, ymin, xmax, ymax: edges, as shares of the image's width and height.
        area: in square pixels.
    """

    label: int
    text: str
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    area: float = 0.0
    is_crowd: bool = False
    difficult: bool = False
    truncated: bool = False
    group_of: bool = False


@dataclass(frozen=True)
class DetectionExample:
    """One image with its objects.

    Attributes:
        encoded: the image's file.
        format: of `encoded`: jpeg, png or bmp.
        width, height: in pixels.
        filename: where it came from, relative.
        source_id: no two images of a data set have the same.
        sha256: of `encoded`, hexadecimal.
        objects: its boxes.
    """

    encoded: bytes
    format: str
    width: int
    height: int
    filename: str
    source_id: str
    sha256: str
    objects: tuple[ExampleObject, ...] = field(default=())

    def features(self) -> _Features:
        """What `encode_example` writes; of an image without objects nothing that would be an empty list."""
        return self._image() | (self._objects() if self.objects else {})

    def _image(self) -> _Features:
        return {
            "image/encoded": self.encoded,
            "image/format": self.format.encode(),
            "image/filename": self.filename.encode(),
            "image/source_id": self.source_id.encode(),
            "image/key/sha256": self.sha256.encode(),
            "image/height": [self.height],
            "image/width": [self.width],
        }

    def _objects(self) -> _Features:
        flags = ("is_crowd", "difficult", "truncated", "group_of")
        return {
            **{_BBOX + side: [float(getattr(each, side)) for each in self.objects] for side in _SIDES},
            _OBJECT + "area": [float(each.area) for each in self.objects],
            _OBJECT + "class/label": [each.label for each in self.objects],
            _OBJECT + "class/text": [each.text.encode() for each in self.objects],
            **{_OBJECT + flag: [int(getattr(each, flag)) for each in self.objects] for flag in flags},
        }


def read_detection_example(features: dict[str, list[Any]], labels: LabelMap, where: str) -> DetectionExample:
    """What `decode_example` gave, in types.

    The class of an object is its text's where there is one, as the API reads it, else its label's.

    Args:
        where: file and record, for the message.

    Raises:
        DataError: the lists of one object's features differ in length.
    """
    numbers = {text: number for number, text in labels.labels.items()}
    sides = [features.get(_BBOX + side, []) for side in _SIDES]
    count = len(sides[0])
    if any(len(side) != count for side in sides):
        raise DataError(f"{where}: {[len(side) for side in sides]} values of {_BBOX}xmin, ymin, xmax, ymax")

    def listed(name: str, default: Any) -> list[Any]:
        values = features.get(_OBJECT + name) or [default] * count
        if len(values) != count:
            raise DataError(f"{where}: {len(values)} values of {_OBJECT}{name} for {count} boxes")
        return values

    texts = [text.decode("utf-8", "replace") for text in listed("class/text", b"")]
    own = listed("class/label", 0)
    return DetectionExample(
        encoded=_first(features, "image/encoded", b""),
        format=_first(features, "image/format", b"").decode("utf-8", "replace"),
        width=_first(features, "image/width", 0),
        height=_first(features, "image/height", 0),
        filename=_first(features, "image/filename", b"").decode("utf-8", "replace"),
        source_id=_first(features, "image/source_id", b"").decode("utf-8", "replace"),
        sha256=_first(features, "image/key/sha256", b"").decode("utf-8", "replace"),
        objects=tuple(
            ExampleObject(
                label=numbers.get(text, 0) if text else label,
                text=text or labels.labels.get(label, ""),
                xmin=xmin,
                ymin=ymin,
                xmax=xmax,
                ymax=ymax,
                area=area,
                is_crowd=bool(crowd),
                difficult=bool(difficult),
                truncated=bool(truncated),
                group_of=bool(group_of),
            )
            for xmin, ymin, xmax, ymax, text, label, area, crowd, difficult, truncated, group_of in zip(
                *sides,
                texts,
                own,
                listed("area", 0.0),
                listed("is_crowd", 0),
                listed("difficult", 0),
                listed("truncated", 0),
                listed("group_of", 0),
                strict=True,
            )
        ),
    )


def _first(features: dict[str, list[Any]], name: str, default: Any) -> Any:
    return next(iter(features.get(name, [])), default)
