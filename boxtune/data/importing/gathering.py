"""Data's images once all were looked at: what is kept in memory of each, and what was found on the way."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

from boxtune.data.findings import Findings
from boxtune.data.importing.index import DataIndex, Look
from boxtune.data.importing.options import ImportOptions
from boxtune.data.importing.settling import Tally
from boxtune.data.importing.splitting import Member
from boxtune.data.importing.tiling import tiles
from boxtune.errors import AnnotationsError


@dataclass(slots=True)
class UsedImage:
    """An image that becomes records; small, since there are many.

    Attributes:
        number: in the index.
        member: what a split knows of it.
        own_split: the one that the data put it in; empty where they have none.
        records: how many it becomes.
        size: of its file, in bytes.
        fingerprint: for near-duplicates.
        objects: the class of each object, as a place in `Gathered.labels`.
    """

    number: int
    member: Member
    own_split: str
    records: int
    size: int
    fingerprint: bytes
    objects: array[int]


@dataclass
class Gathered:
    """All images of a data set.

    Attributes:
        images: those that are used.
        labels: classes that were met, the first first.
        counts: objects by class.
        tally: of all boxes as they were written.
        most: objects of one image.
    """

    images: list[UsedImage] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    most: int = 0


def gather(index: DataIndex, options: ImportOptions, findings: Findings) -> Gathered:
    """Read the whole index once.

    Raises:
        AnnotationsError: `--group` groups nothing.
    """
    found = Gathered()
    places: dict[str, int] = {}
    grouped = False
    known: dict[frozenset[str], frozenset[str]] = {}  # many images have the same classes
    for number, image, look in index.looked():
        findings.merge(look.findings)
        if look.bad:
            findings.lose("image", "that cannot be used", f"{image.name}: {look.bad}")
            continue
        found.tally += look.tally
        labels = [each.label for each in look.objects if not each.is_crowd]
        found.counts.update(labels)
        found.most = max(found.most, len(look.objects))
        classes = frozenset(labels)
        group = options.grouping.group(image.name, image.group)
        member = Member(image.name, bytes.fromhex(look.sha256), group, known.setdefault(classes, classes))
        objects = array("I", (places.setdefault(label, len(places)) for label in labels))
        records = _records(look, options, image.name, findings)
        size, fingerprint = look.bytes, bytes.fromhex(look.fingerprint)
        grouped = grouped or bool(group)
        found.images.append(UsedImage(number, member, image.split, records, size, fingerprint, objects))
    found.labels = list(places)
    if options.grouping.is_asked and found.images and not grouped:
        raise AnnotationsError(f'--group "{options.grouping.text}": no image of {len(found.images)} has a group by it')
    return found


def _records(look: Look, options: ImportOptions, name: str, findings: Findings) -> int:
    """How many records an image becomes; what its tiles lose is counted."""
    if options.tiling is None:
        return 1
    cut = tiles(look.objects, look.size, options.tiling, look.sha256)
    every = len(options.tiling.windows(look.size))
    if every > len(cut):
        why = f"cut out as tiles without an object and left out (--empty-tiles {options.tiling.empty:g})"
        findings.add("skipped", "image", why, name, every - len(cut))
    dropped = sum(tile.dropped for tile in cut)
    if dropped:
        why = "cut by the edge of a tile, of which too little is visible there to be a box; other tiles have them"
        findings.add("skipped", "object", why, name, dropped)
    return len(cut)
