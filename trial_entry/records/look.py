"""Records' look at every record of some files: what is wrong, and what there is, in one pass and little memory.

A trial looks at its readers' files so before it loads TensorFlow, `boxtune check` at those that it can see, and
`boxtune data check` at spans of them on all cores, whose looks are added up.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from trial_entry.errors import CorruptRecord, DataError
from trial_entry.finding import Finding, Tally
from trial_entry.records.asked import asked_faults
from trial_entry.records.examples import ExampleMessage, is_sequence_example, parse_example
from trial_entry.records.features import (
    BBOX,
    ENCODED,
    FORMAT,
    HEIGHT,
    SIDES,
    SOURCE_ID,
    WIDTH,
    Faults,
    Features,
    fault,
    length_faults,
    misspelt,
    typed_features,
)
from trial_entry.records.image_header import REWRITE, ImageHeader, read_image_header
from trial_entry.records.objects import DROPPED, Expected, Objects, look_at_objects
from trial_entry.records.tfrecord import Span, read_span

_MISSING = ("missing ", "classes ", "asked ", "sides ")  # kinds of faults of what may have another name
_CHANNELS = (1, 3, 4)  # bytes of a pixel
_KEY_BYTES = 8  # of a digest: as many as tell a billion images apart


@dataclass(frozen=True, slots=True)
class Place:
    """A record: its file and its number there, from 0."""

    file: str
    record: int


@dataclass(frozen=True, slots=True)
class Looked:
    """One image with what was read of it.

    Attributes:
        place: where.
        encoded: the image's file.
        header: what it says of itself.
        objects: as the API would read them; none where their features are wrong.
    """

    place: Place
    encoded: bytes
    header: ImageHeader
    objects: Objects


class RecordsLook:
    """What was seen of records; looks at records that follow are added to it.

    Attributes:
        tally: what is wrong with single records.
        images: records that are Examples.
        empty: of them without a box.
        objects: number of boxes by class, DROPPED among them.
        crowds: of them crowds, by class.
        flat: boxes without an area.
        weighted: whether any box counts in training.
        above: images with more boxes than are read.
        lost: boxes beyond those.
        unknown: boxes by a text that the label map does not have.
        unread: images whose objects could not be looked at.
        misspelt: a feature of the first image without a box that may be meant for its boxes.
        sizes: the first image of each size in pixels, (width, height).
        image_keys: the first 8 bytes of each image's SHA-256, in order; 0 where there is no image.
        source_keys: the same of each source_id; 0 where there is none.
    """

    def __init__(self, expected: Expected) -> None:
        self.expected = expected
        self.tally = Tally()
        self._asked = frozenset(each.feature for each in expected.asked)
        self.images = self.empty = self.flat = self.above = self.lost = self.unread = 0
        self.objects: Counter[int] = Counter()
        self.crowds: Counter[int] = Counter()
        self.unknown: Counter[str] = Counter()
        self.weighted = False
        self.misspelt: list[str] = []
        self.sizes: dict[tuple[int, int], Place] = {}
        self.first: dict[str, Place] = {}  # where the first of what is counted was: flat, above, unknown, empty
        self.image_keys = array("Q")
        self.source_keys = array("Q")
        self._runs: list[tuple[int, Place]] = []  # (index of an image, its place), where numbers begin anew

    def read(self, span: Span, each: Callable[[Looked], None] | None = None) -> None:
        """Look at all records of `span`, which follow those that were looked at.

        Args:
            each: takes every image that is whole enough to be one.
        """
        file, number = str(span.path), None
        try:
            for number, data in read_span(span):
                self._add(Place(file, number), data, each)
        except DataError as unreadable:
            self.tally.add("file", Finding("error", str(unreadable)))
        else:
            if number is None:
                self.tally.add("no record", Finding("error", "is empty", "it needs at least one record", file))

    def add(self, later: RecordsLook) -> None:
        """Count what another look saw in later records."""
        self._runs += [(self.images + index, place) for index, place in later._runs]
        self.tally.add_all(later.tally)
        for name in ("images", "empty", "flat", "above", "lost", "unread", "objects", "crowds", "unknown"):
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self.weighted = self.weighted or later.weighted
        self.misspelt = self.misspelt or later.misspelt
        self.sizes = later.sizes | self.sizes
        self.first = later.first | self.first
        self.image_keys.extend(later.image_keys)
        self.source_keys.extend(later.source_keys)

    def place(self, index: int) -> Place:
        """The record of the image with this number in `image_keys`."""
        run = bisect_right(self._runs, index, key=lambda each: each[0]) - 1
        begin, place = self._runs[run]
        return replace(place, record=place.record + index - begin)

    @property
    def boxes(self) -> int:
        """How many there are."""
        return self.objects.total()

    @property
    def learnable(self) -> int:
        """Boxes of a class that the label map has."""
        return self.boxes - self.objects[DROPPED]

    @property
    def measurable(self) -> int:
        """Of them those that are no crowds."""
        return sum(self.measured(number) for number in self.objects if number != DROPPED)

    def measured(self, number: int) -> int:
        """Boxes of one class that are no crowds."""
        return self.objects[number] - self.crowds[number]

    def _add(self, place: Place, data: bytes | CorruptRecord, each: Callable[[Looked], None] | None) -> None:
        if isinstance(data, CorruptRecord):
            self._wrong(place, [("corrupt", Finding("error", data.what, data.right))])
            return
        try:
            example = parse_example(data, "")
        except DataError:
            self._wrong(place, [("example", Finding("error", "is no tf.train.Example", "write one for each image"))])
            return
        features, faults = typed_features(example)
        encoded = features.first(ENCODED)
        if not encoded and is_sequence_example(example):
            what = "is a tf.train.SequenceExample, many images in one"
            self._wrong(place, [("sequence", Finding("error", what, "write a tf.train.Example for each image"))])
            return
        header = self._image(features, encoded, faults)
        if self.expected.asked:
            pixels = header.width * header.height
            faults += asked_faults(example, self.expected.asked, features.count(SIDES[0]), pixels)
        shaped = not any(kind.startswith("type") for kind, _ in faults)
        lengths = length_faults(features) if shaped else []
        faults += lengths
        faults = [(kind, self._with_misspelt(example, kind, found)) for kind, found in faults]
        objects = Objects()
        if shaped and not any(found.severity == "error" for _, found in lengths):
            objects, wrong = look_at_objects(features, self.expected, header.width, header.height)
            faults += wrong
            self._count(place, objects)
            if not objects.boxes and not self.misspelt:
                self.misspelt = misspelt(example, SIDES[0], self._asked)
        else:
            self.unread += 1
        self._wrong(place, faults)
        self._keep(place, encoded, features)
        if header.width and header.height:
            self.sizes.setdefault((header.width, header.height), place)
        if each is not None and encoded:
            each(Looked(place, encoded, header, objects))

    def _image(self, features: Features, encoded: bytes, faults: Faults) -> ImageHeader:
        header = read_image_header(encoded)
        if ENCODED not in features.texts:
            if not any(found.feature == ENCODED for _, found in faults):
                faults.append(fault("missing", ENCODED, "is missing", "a record holds one image's file"))
        elif features.first(FORMAT).lower() == b"raw":
            faults.append(fault("raw", FORMAT, "is raw, which the API cannot shape", REWRITE))
        elif header.wrong:
            faults.append(fault("image", ENCODED, *_image_fault(header, encoded, _said_size(features))))
        elif (said := _said_size(features)) not in (None, (header.width, header.height)):
            what = (
                f"says {said[0]} x {said[1]} with image/height; the image is {header.width} x {header.height} as stored"
            )
            faults.append(fault("size", WIDTH, what, "boxes are taken as shares of that", "warning"))
        return header

    def _count(self, place: Place, objects: Objects) -> None:
        count, limit = len(objects.boxes), self.expected.max_boxes
        self.objects.update(objects.numbers)
        self.crowds.update(number for number, crowd in zip(objects.numbers, objects.crowds, strict=True) if crowd)
        self.unknown.update(objects.unknown)
        self.flat += objects.flat
        self.empty += not count
        self.weighted = self.weighted or objects.weighted
        if limit is not None and count > limit:
            self.above, self.lost = self.above + 1, self.lost + count - limit
            self.first.setdefault("above", place)
        for name, met in (("flat", objects.flat), ("unknown", objects.unknown), ("empty", not count)):
            if met:
                self.first.setdefault(name, place)

    def _with_misspelt(self, example: ExampleMessage, kind: str, found: Finding) -> Finding:
        """A finding of something missing, with the feature that may be meant for it."""
        if not kind.startswith(_MISSING):
            return found
        wanted = SIDES[0] if found.feature == BBOX else found.feature
        near = misspelt(example, wanted, self._asked)
        return replace(found, right=f"{found.right}; it has {near[0]}, which nothing reads") if near else found

    def _wrong(self, place: Place, faults: Faults) -> None:
        for kind, found in faults:
            self.tally.add(kind, replace(found, file=place.file, record=place.record))

    def _keep(self, place: Place, encoded: bytes, features: Features) -> None:
        """The image's and its source's keys; and where numbers do not follow each other, the place."""
        if not self._runs or self.place(self.images) != place:
            self._runs.append((self.images, place))
        self.images += 1
        self.image_keys.append(_key(encoded) if encoded else 0)
        source = features.first(SOURCE_ID)
        self.source_keys.append(_key(source) if source else 0)


def look_at(files: Iterable[Path], expected: Expected) -> RecordsLook:
    """Look at every record of `files`."""
    look = RecordsLook(expected)
    for file in files:
        look.read(Span(file))
    return look


def _key(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:_KEY_BYTES])


def _image_fault(header: ImageHeader, encoded: bytes, size: tuple[int, int] | None) -> tuple[str, str]:
    """What is wrong with an image and what would be right; its pixels alone are known by their number."""
    count = 0 if size is None or header.format else size[0] * size[1]
    if count and size is not None and len(encoded) in (count * channels for channels in _CHANNELS):
        return f"is the {size[0]} x {size[1]} pixels themselves, and no image's file", "encode them: JPEG or PNG"
    return header.wrong, header.right


def _said_size(features: Features) -> tuple[int, int] | None:
    """Width and height by the record's own features."""
    if WIDTH not in features.ints or HEIGHT not in features.ints:
        return None
    return features.ints[WIDTH][0], features.ints[HEIGHT][0]
