"""Data's boxes as written, made boxes in pixels of the image as seen: read, repaired, or left out, each time said."""

from __future__ import annotations

from dataclasses import dataclass, replace

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Box, Written
from boxtune.data.findings import Findings, What
from boxtune.data.orientation import seen_box
from trial_entry.images.pixels import Size, seen_size

_ROUNDING = 1e-5  # of a side: what six digits leave over the edge, and nobody needs to be told
_SLIP = 0.05  # of a side: up to here a hand slipped; beyond, the numbers mean something else
_SLIP_PIXELS = 3.0
_MOSTLY_OUTSIDE = 0.1  # of a box within the image: with less, its numbers are wrong rather than its hand
_NO_PIXEL = 0.5  # a box narrower than this covers no pixel
_SCALE = 0.01  # by how much the scales of two sides may differ, since sizes are whole numbers


@dataclass(frozen=True)
class Tally:
    """What only all boxes of a data set together can say: whether their numbers mean what the format says.

    Attributes:
        objects: how many were looked at.
        far: that reach over the edge further than a slip of the hand.
        first_far: the place of the first of them.
        otherwise: that would lie in the image if the numbers were what other formats write.
        swapped: with a right edge left of the left one.
        within_one: whose numbers are all between 0 and 1.
    """

    objects: int = 0
    far: int = 0
    first_far: str = ""
    otherwise: int = 0
    swapped: int = 0
    within_one: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.objects + other.objects,
            self.far + other.far,
            self.first_far or other.first_far,
            self.otherwise + other.otherwise,
            self.swapped + other.swapped,
            self.within_one + other.within_one,
        )


@dataclass(frozen=True)
class Settled:
    """An image's boxes in pixels of the image as seen.

    Attributes:
        size: width and height as seen.
        objects: what is left.
        tally: of all of them, as they were written.
    """

    size: Size
    objects: tuple[AnnotatedObject, ...]
    tally: Tally


def settle(image: AnnotatedImage, stored: Size, orientation: int, written: Written, findings: Findings) -> Settled:
    """The boxes of an image whose file is `stored` pixels big and says that it is turned by `orientation`.

    Refused (a finding, not an error, so that all of them are named at once) where its written size has another shape
    than its pixels: which of the two is wrong, nobody knows.
    """
    seen = seen_size(stored, orientation)
    place = _Placement.of(image, stored, orientation)
    if place is None:
        assert image.size is not None
        what = f"{image.size[0]}×{image.size[1]}, but the image has {seen[0]}×{seen[1]} pixels"
        findings.add("refused", "image", "of another size than is written", f"{image.place}: {what}")
        return Settled(seen, (), Tally())
    if place.note:
        findings.add(place.what, "image", place.note, image.place)
    tally, kept = Tally(), list[AnnotatedObject]()
    for each in image.objects:
        tally += _tally(image, each, written, place.written_size)
        box = _settled(place.box(each.box), seen, each.place, findings)
        if box is None:
            continue
        settled = replace(each, box=box)
        if any(_same(settled, other) for other in kept):
            findings.add("skipped", "object", "written twice: a duplicate of the same box and class", each.place)
        else:
            kept.append(settled)
    return Settled(seen, tuple(kept), tally)


@dataclass(frozen=True)
class _Placement:
    """How written coordinates become pixels as seen.

    Attributes:
        written_size: of the image in which they were written.
        seen: size as seen.
        scale: of x and y, first.
        orientation: turns them, then; 1 where they were written as seen.
        what, note: what is said of it; empty for nothing.
    """

    written_size: Size
    seen: Size
    scale: tuple[float, float] = (1.0, 1.0)
    orientation: int = 1
    what: What = "repaired"
    note: str = ""

    @classmethod
    def of(cls, image: AnnotatedImage, stored: Size, orientation: int) -> _Placement | None:
        """By the size that is written; None where it cannot be this image's."""
        seen, said = seen_size(stored, orientation), image.size
        if image.shares:
            return cls((1, 1), seen, (float(seen[0]), float(seen[1])))
        if said is None or said == seen:
            return cls(seen, seen)
        if said == stored:
            return cls(stored, seen, orientation=orientation)
        for size, turned in ((seen, 1), (stored, orientation)):
            scale = size[0] / said[0], size[1] / said[1]
            off = max(abs(said[side] * scale[1 - side] - size[side]) for side in (0, 1))
            if off <= 1 or abs(scale[0] / scale[1] - 1) <= _SCALE:
                note = "annotated at another scale, so that their boxes were scaled"
                return cls(said, seen, scale, turned, "repaired", note)
        if said == (seen[1], seen[0]):
            note = "with width and height of their size the wrong way round, taken as the image has them"
            return cls(seen, seen, what="warned", note=f"{note}")
        return None

    def box(self, box: Box) -> Box:
        """A written box in pixels as seen."""
        (x, y), (xmin, ymin, xmax, ymax) = self.scale, box
        scaled = (xmin * x, ymin * y, xmax * x, ymax * y)
        return seen_box(scaled, self.seen, self.orientation) if self.orientation != 1 else scaled


def _settled(box: Box, size: Size, place: str, findings: Findings) -> Box | None:
    """A box in order and within the image; None where nothing is left of it."""
    xmin, ymin, xmax, ymax = box
    if xmin > xmax or ymin > ymax:
        why = "with edges in the wrong order (xmin greater than xmax, or ymin than ymax), swapped"
        findings.add("repaired", "object", why, place)
        xmin, xmax = sorted((xmin, xmax))
        ymin, ymax = sorted((ymin, ymax))
    area = (xmax - xmin) * (ymax - ymin)
    over = max(-xmin / size[0], -ymin / size[1], xmax / size[0] - 1, ymax / size[1] - 1)
    cut = (max(xmin, 0.0), max(ymin, 0.0), min(xmax, float(size[0])), min(ymax, float(size[1])))
    if min(cut[2] - cut[0], cut[3] - cut[1]) < _NO_PIXEL:
        why = "without an area: no width, no height, or wholly outside of the image"
        findings.lose("object", why, place)
        return None
    if (cut[2] - cut[0]) * (cut[3] - cut[1]) < _MOSTLY_OUTSIDE * area:
        findings.lose("object", "almost wholly outside of their image", place)
        return None
    if over > _ROUNDING:
        findings.add("repaired", "object", "reaching outside, beyond the edge of their image, cut there", place)
    return cut


def _tally(image: AnnotatedImage, each: AnnotatedObject, written: Written, size: Size) -> Tally:
    xmin, ymin, xmax, ymax = each.box
    width, height = size
    slip_x, slip_y = (0.0, 0.0) if image.shares else (_SLIP_PIXELS, _SLIP_PIXELS)
    far = max(-xmin, xmax - width) > max(slip_x, _SLIP * width) or max(-ymin, ymax - height) > max(
        slip_y, _SLIP * height
    )
    if written == "corners":  # as x, y, width, height
        otherwise = xmin + xmax <= width and ymin + ymax <= height
    else:
        x, y = ((xmin + xmax) / 2, (ymin + ymax) / 2) if written == "centre and size" else (xmin, ymin)
        right, lower = xmax - xmin, ymax - ymin  # as x1, y1, x2, y2
        otherwise = x < right <= width and y < lower <= height
    return Tally(
        1,
        int(far),
        each.place if far else "",
        int(otherwise),
        int(xmin > xmax or ymin > ymax),
        int(not image.shares and min(each.box) >= 0 and max(each.box) <= 1),
    )


def _same(one: AnnotatedObject, other: AnnotatedObject) -> bool:
    return one.label == other.label and all(abs(a - b) < 0.01 for a, b in zip(one.box, other.box, strict=True))  # noqa: PLR2004


_OTHERWISE = {
    "corners": "as x, y, width and height",
    "corner and size": "as two corners (x1, y1, x2, y2)",
    "centre and size": "as two corners (x1, y1, x2, y2)",
}
_MANY = 10
_FEW, _SHARE_FAR, _SHARE_OUTSIDE, _SHARE_OTHERWISE = 3, 0.1, 0.2, 0.95


def looks_like_corners(tally: Tally, written: Written) -> bool:
    """Whether every box might as well be two corners, though none leaves its image: objects in the upper left alone."""
    return written == "corner and size" and tally.objects >= _MANY and tally.otherwise == tally.objects


def misreading(tally: Tally, written: Written, shown: str) -> tuple[str, str] | None:
    """(place, what) of a data set whose numbers cannot mean what the format says; None where they can."""
    if not tally.objects:
        return None
    if tally.within_one == tally.objects:
        return shown, "every box lies within the first pixel: its numbers are shares of the image, not pixels"
    far, otherwise = tally.far / tally.objects, tally.otherwise / tally.objects
    fits = f"{_OTHERWISE[written]} they would lie in it"
    if written != "corners" and tally.objects > 1 and far >= _SHARE_FAR and otherwise >= _SHARE_OTHERWISE:
        return (
            tally.first_far,
            f"{tally.far} of {tally.objects} boxes reach far outside of their image; {fits}: corners?",
        )
    if written == "corners" and tally.swapped >= _FEW and tally.swapped / tally.objects >= _SHARE_OUTSIDE:
        hint = f"; {fits}" if otherwise >= _SHARE_OTHERWISE else ""
        return shown, f"{tally.swapped} of {tally.objects} boxes have xmin greater than xmax, or ymin than ymax{hint}"
    if tally.far >= _FEW and far >= _SHARE_OUTSIDE:
        return (
            tally.first_far,
            f"{tally.far} of {tally.objects} boxes reach far outside of their image; in another unit?",
        )
    return None
