"""Data's survey: one pass over records, which counts and picks what a contact sheet shows.

Memory holds the picks, each a place in a file, and a sample of the boxes; never the images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from boxtune.data.priors.box_sample import BoxCollector, BoxSample
from boxtune.data.record_files import Place, RecordFiles, read_all
from boxtune.data.sheet.oddities import KINDS, Oddity, oddities
from boxtune.data.sheet.sampling import Reservoir, Top
from boxtune.data.sheet.sizes import image_size
from trial_entry.records.detection_example import DetectionExample, ExampleObject

NO_CLASS = "(no class)"
MOST_ODD = 12  # of a kind
MOST_PICKS = 6  # of a class, and of the smallest and largest


@dataclass(frozen=True)
class Pick:
    """One image that is to be shown, and why.

    Attributes:
        place: its record.
        objects: the places of the boxes that it is about; empty for the whole image.
        note: what is to be seen, one line.
    """

    place: Place
    objects: tuple[int, ...]
    note: str


@dataclass(frozen=True)
class Picks:
    """Some of a kind.

    Attributes:
        count: how many there are in all: boxes, or images where the images themselves are odd.
        kept: those that are to be shown.
    """

    count: int
    kept: Sequence[Pick]


@dataclass(frozen=True)
class ClassSurvey:
    """One class.

    Attributes:
        name: as records or label map call it.
        objects: how many by split.
        images: how many have one at least.
        picks: some of these images, drawn at random.
    """

    name: str
    objects: Mapping[str, int]
    images: int
    picks: Sequence[Pick]

    @property
    def total(self) -> int:
        """Objects of all splits."""
        return sum(self.objects.values())


@dataclass(frozen=True)
class Survey:
    """What one pass over records found.

    Attributes:
        images: how many by split.
        empty: how many of them without an object, by split.
        classes: in the label map's order, then those that it does not have.
        odd: by kind, in the order of KINDS; only what there is.
        smallest, largest: of the objects, one an image.
        per_image: how many images have so many objects.
        sample: boxes of all splits.
    """

    images: Mapping[str, int]
    empty: Mapping[str, int]
    classes: Sequence[ClassSurvey]
    odd: Mapping[str, Picks]
    smallest: Sequence[Pick]
    largest: Sequence[Pick]
    per_image: Mapping[int, int]
    sample: BoxSample

    @property
    def objects(self) -> int:
        """Of all splits and classes."""
        return sum(each.total for each in self.classes)


class _Class:
    def __init__(self) -> None:
        self.objects: Counter[str] = Counter()
        self.drawn: Reservoir[Pick] = Reservoir(MOST_PICKS)


class _Surveyor:
    """What has been seen so far."""

    def __init__(self, records: RecordFiles) -> None:
        self._records = records
        self._images: Counter[str] = Counter(dict.fromkeys(records.splits, 0))
        self._empty: Counter[str] = Counter()
        self._classes = {name: _Class() for name in records.labels.labels.values()}
        self._odd_counts: Counter[str] = Counter()
        self._odd: dict[str, Top[Pick]] = {kind: Top(MOST_ODD) for kind in KINDS}
        self._smallest: Top[Pick] = Top(MOST_PICKS)
        self._largest: Top[Pick] = Top(MOST_PICKS)
        self._per_image: Counter[int] = Counter()
        self._boxes = BoxCollector()

    def look_at(self, place: Place, example: DetectionExample) -> None:
        self._images[place.split] += 1
        self._empty[place.split] += not example.objects
        self._per_image[len(example.objects)] += 1
        self._boxes.offer(example)
        self._look_at_classes(place, example.objects)
        self._look_at_sizes(place, example)
        self._look_at_oddities(place, example)

    def found(self) -> Survey:
        classes = [
            ClassSurvey(name, dict(each.objects), each.drawn.offered, each.drawn.kept)
            for name, each in self._classes.items()
        ]
        odd = {kind: Picks(self._odd_counts[kind], self._odd[kind].kept) for kind in KINDS if self._odd_counts[kind]}
        return Survey(
            dict(self._images),
            dict(self._empty),
            classes,
            odd,
            self._smallest.kept,
            self._largest.kept,
            dict(sorted(self._per_image.items())),
            self._boxes.sample(self._records.splits),
        )

    def _look_at_classes(self, place: Place, objects: Sequence[ExampleObject]) -> None:
        of_class: dict[str, list[int]] = {}
        for number, each in enumerate(objects):
            of_class.setdefault(class_name(each), []).append(number)
        for name, numbers in of_class.items():
            found = self._classes.setdefault(name, _Class())
            found.objects[place.split] += len(numbers)
            found.drawn.offer(Pick(place, tuple(numbers), f"{len(numbers)} × {name}" if numbers[1:] else name))

    def _look_at_sizes(self, place: Place, example: DetectionExample) -> None:
        size = image_size(example)
        if size is None:
            return
        areas = [
            (_area(each), number)
            for number, each in enumerate(example.objects)
            if _area(each) > 0 and not (each.is_crowd or each.group_of)
        ]
        if not areas:
            return
        for top, (area, number), sign in ((self._smallest, min(areas), -1), (self._largest, max(areas), 1)):
            each = example.objects[number]
            edges = f"{(each.xmax - each.xmin) * size[0]:.3g} × {(each.ymax - each.ymin) * size[1]:.3g} pixels"
            share = f", {area:.1%} of the image" if sign > 0 else ""
            top.offer(sign * (area * size[0] * size[1] if sign < 0 else area), Pick(place, (number,), edges + share))

    def _look_at_oddities(self, place: Place, example: DetectionExample) -> None:
        """One pick an image and kind, of its oddest; the others are counted."""
        of_kind: dict[str, list[Oddity]] = {}
        for each in oddities(example, bool(self._records.labels.labels)):
            of_kind.setdefault(each.kind, []).append(each)
        for kind, found in of_kind.items():
            oddest = max(found, key=lambda each: each.rank)
            more = f"; {len(found) - 1} more in this image" if found[1:] else ""
            self._odd_counts[kind] += len(found)
            self._odd[kind].offer(oddest.rank, Pick(place, oddest.objects, oddest.what + more))


def survey(records: RecordFiles) -> Survey:
    """Look at every record once.

    Raises:
        InputError: a record cannot be read.
    """
    surveyor = _Surveyor(records)
    for place, example in read_all(records):
        surveyor.look_at(place, example)
    return surveyor.found()


def class_name(each: ExampleObject) -> str:
    """What an object's class is called where people read it."""
    return each.text or (f"class {each.label}" if each.label else NO_CLASS)


def _area(each: ExampleObject) -> float:
    """As a share of the image; 0 for a box that has none."""
    across, up = min(1.0, each.xmax) - max(0.0, each.xmin), min(1.0, each.ymax) - max(0.0, each.ymin)
    return across * up if across > 0 and up > 0 else 0.0
