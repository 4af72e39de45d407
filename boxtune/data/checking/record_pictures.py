"""Data's pictures in records: every image decoded, its fingerprint and its objects' sizes kept, what is odd counted."""

from __future__ import annotations

from array import array
from dataclasses import replace

from PIL import Image

from boxtune.data.near_duplicates import Fingerprint, fingerprint
from trial_entry.finding import Finding, Tally
from trial_entry.images.pixels import UPRIGHT, Undecodable, loaded, opened, orientation_of
from trial_entry.records.features import ENCODED
from trial_entry.records.image_header import REWRITE, ImageHeader
from trial_entry.records.look import Looked, RecordsLook

_SHRUNK = 8  # the scale at which a JPEG's pixels are put together; its bytes are read all the same
_LEAST = 72  # pixels of it that a fingerprint wants
_BITS = 8


class RecordPictures:
    """What was seen of the pictures that a look looked at.

    Attributes:
        tally: what is wrong or odd with single ones.
        prints: fingerprint by the image's number in the look.
        objects: four numbers an object: its width and height, its image's width and height, in pixels as stored.
        image_of: the number of each object's image.
    """

    def __init__(self) -> None:
        self.tally = Tally()
        self.prints: dict[int, Fingerprint] = {}
        self.objects = array("f")
        self.image_of = array("L")

    def see(self, look: RecordsLook, looked: Looked) -> None:
        """Decode the image that `look` has looked at last."""
        number, header = look.images - 1, looked.header
        if header.wrong:
            return
        for left, top, right, bottom in looked.objects.boxes:
            width, height = (right - left) * header.width, (bottom - top) * header.height
            self.objects.extend((width, height, header.width, header.height))
            self.image_of.append(number)
        try:
            with opened(looked.encoded) as image:
                self._odd(looked, header, image)
                image.draft("RGB", tuple(max(_LEAST, edge // _SHRUNK) for edge in image.size))
                loaded(image)
                self.prints[number] = fingerprint(image)
        except Undecodable as bad:
            self._add(looked, "undecodable", Finding("error", str(bad), REWRITE))

    def add(self, later: RecordPictures, images: int) -> None:
        """Those of records that follow `images` others."""
        self.tally.add_all(later.tally)
        self.prints |= {number + images: print_ for number, print_ in later.prints.items()}
        self.objects.extend(later.objects)
        self.image_of.extend(number + images for number in later.image_of)

    def _odd(self, looked: Looked, header: ImageHeader, image: Image.Image) -> None:
        for kind, met, what, right in (
            ("cmyk", image.mode == "CMYK", "is CMYK, whose colours TensorFlow turns into others", "write RGB"),
            ("deep", header.bits > _BITS, f"has {header.bits} bits a colour, of which TensorFlow keeps 8", "write 8"),
            ("animated", _moves(image), "has several frames, of which TensorFlow reads the first", "write one"),
            (
                "turned",
                orientation_of(image) != UPRIGHT,
                "is turned by EXIF, which TensorFlow does not heed",
                "turn it",
            ),
        ):
            if met:
                self._add(looked, kind, Finding("warning", what, right))

    def _add(self, looked: Looked, kind: str, found: Finding) -> None:
        place = looked.place
        self.tally.add(kind, replace(found, file=place.file, record=place.record, feature=ENCODED))


def _moves(image: Image.Image) -> bool:
    """Whether it has several frames; a JPEG with a preview (MPO) has not."""
    return image.format == "PNG" and bool(getattr(image, "is_animated", False))
