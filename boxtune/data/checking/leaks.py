"""Data's leaks: images of one split that are in another too, to the byte or nearly, and that a split has twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from boxtune.data.checking.record_pictures import RecordPictures
from boxtune.data.near_duplicates import groups
from trial_entry.finding import Finding
from trial_entry.records.features import ENCODED
from trial_entry.records.look import RecordsLook
from trial_entry.records.reader_findings import shared_findings

_Split = tuple[str, RecordsLook, RecordPictures]


def leak_findings(splits: Sequence[_Split]) -> Iterator[Finding]:
    """Images of every two splits that are the same, and those that are nearly so."""
    for (one, look, _), (other, later, _) in combinations(splits, 2):
        yield from shared_findings(one, look, other, later)
    if len(splits) > 1:
        yield from _near_findings(splits)


def repeated_findings(name: str, look: RecordsLook) -> Iterator[Finding]:
    """Images that one split has more than once."""
    keys = np.asarray(look.image_keys)
    at = np.flatnonzero(keys)
    _, first = np.unique(keys[at], return_index=True)
    again = np.delete(at, first)
    if not len(again):
        return
    number = int(again.min())
    place, twin = look.place(number), look.place(int(np.flatnonzero(keys == keys[number])[0]))
    what = (
        f"{len(again)} of {look.images} images of {name} are there before, "
        f"this one as {twin.file}: record {twin.record}"
    )
    yield Finding("warning", what, "once is enough", place.file, place.record, ENCODED)


def _near_findings(splits: Sequence[_Split]) -> Iterator[Finding]:
    owners, prints = [], []
    for split, (_, _, pictures) in enumerate(splits):
        for number in sorted(pictures.prints):
            owners.append((split, number))
            prints.append(pictures.prints[number])
    leaks: dict[tuple[int, int], list[tuple[int, int]]] = {}  # (split, later split): (image, later image)
    for group in groups(prints):
        first: dict[int, int] = {}  # of this group's images, by split
        for member in group:
            split, number = owners[member]
            first.setdefault(split, number)
            for earlier, twin in first.items():
                if earlier < split and not _same(splits, (earlier, twin), (split, number)):
                    leaks.setdefault((earlier, split), []).append((twin, number))
    for (one, other), found in sorted(leaks.items()):
        twin, number = min(found, key=lambda each: each[1])
        name, look, _ = splits[other]
        place, there = look.place(number), splits[one][1].place(twin)
        what = (
            f"{len(found)} of {look.images} images of {name} are nearly the same as one of {splits[one][0]} "
            f"(or frames of one film), this one as {there.file}: record {there.record}"
        )
        right = "put them on one side: boxtune data import --keep-together"
        yield Finding("warning", what, right, place.file, place.record, ENCODED)


def _same(splits: Sequence[_Split], one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two images are the same to the byte, which is said apart."""
    (split, number), (later, again) = one, other
    return bool(splits[split][1].image_keys[number] == splits[later][1].image_keys[again])
