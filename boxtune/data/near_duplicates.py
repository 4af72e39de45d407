"""Data's near-duplicates: fingerprints of images, and the search for those that are nearly the same.

A fingerprint is a difference hash of 64 bits (which of two neighbouring cells of a 9 x 8 picture is brighter) and that
picture itself. Images are nearly the same where few bits differ and the small pictures do too: frames of a film, one
photograph saved twice, or shrunk. Plain sky and plain sea have equal bits and other pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Fingerprint = bytes  # 8 of the hash, then the small picture's rows of red, green, blue

_WIDTH, _HEIGHT = 9, 8
_HASH_BYTES = 8
_MOST_BITS = 5  # that may differ: an image saved again differs in 0 to 3, another film's in some 20 or more
_MOST_DIFFERENCE = 10.0  # of the small pictures' colours on average, of 255
_LIGHTER = 4.0  # of 255: fewer is noise, and a plain image's bits would be drawn by chance
# One more than may differ, so that one band at least is equal in two that are nearly the same; 64 bits in all.
_BANDS = ((0, 11), (11, 11), (22, 11), (33, 11), (44, 10), (54, 10))
_AT_ONCE = 1 << 20  # comparisons: some tens of megabytes
_LUMA = np.array([0.299, 0.587, 0.114])
_Hashes = NDArray[np.uint64]
_Places = NDArray[np.int64]


def fingerprint(image: Image.Image) -> Fingerprint:
    """Of an image of any size and mode, whose pixels need be no sharper than an eighth of their size."""
    if image.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    small = np.asarray(image.convert("RGB").resize((_WIDTH, _HEIGHT), Image.Resampling.BOX))
    light = small @ _LUMA
    bits = light[:, 1:] > light[:, :-1] + _LIGHTER
    return np.packbits(bits).tobytes() + small.tobytes()


def pairs(fingerprints: Sequence[Fingerprint]) -> Iterator[tuple[int, int]]:
    """Places of two fingerprints that are nearly the same, the lower first; none stands twice.

    Of many with one hash and one picture all are paired with the first of them, which alone is compared with others:
    every two of a film are tied together by pairs, though not each with each.
    """
    if not fingerprints:
        return
    raw = np.frombuffer(b"".join(fingerprints), np.uint8).reshape(len(fingerprints), -1)
    hashes = raw[:, :_HASH_BYTES].copy().view(">u8").ravel().astype(np.uint64)
    pictures = raw[:, _HASH_BYTES:]
    firsts = []
    for first, others in _equal(hashes, pictures):
        firsts.append(first)
        yield from ((first, int(other)) for other in others)
    leaders = np.array(sorted(firsts), np.int64)
    for one, other in _near(hashes[leaders]):
        near = _alike(pictures[leaders[one]], pictures[leaders[other]])
        yield from zip(leaders[one[near]].tolist(), leaders[other[near]].tolist(), strict=True)


def groups(fingerprints: Sequence[Fingerprint]) -> list[list[int]]:
    """Places of images that are nearly the same, directly or through others; only groups of two and more."""
    parents = list(range(len(fingerprints)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    for one, other in pairs(fingerprints):
        first, second = sorted((root(one), root(other)))
        parents[second] = first
    found: dict[int, list[int]] = {}
    for place in range(len(fingerprints)):
        found.setdefault(root(place), []).append(place)
    return [each for each in found.values() if len(each) > 1]


def _equal(hashes: _Hashes, pictures: NDArray[np.uint8]) -> Iterator[tuple[int, _Places]]:
    """The first of each set of equal hashes and like pictures, and the others of it."""
    order = np.argsort(hashes, kind="stable")
    for run in np.split(order, np.flatnonzero(np.diff(hashes[order])) + 1):
        left = run
        while len(left):
            first, rest = left[0], left[1:]
            like = _alike(pictures[first], pictures[rest])
            yield int(first), rest[like]
            left = rest[~like]


def _near(hashes: _Hashes) -> Iterator[tuple[_Places, _Places]]:
    """Places of hashes of which few bits differ, some at a time."""
    earlier: list[tuple[int, int]] = []
    for begin, width in _BANDS:
        keys = _band(hashes, begin, width)
        order = np.argsort(keys, kind="stable")
        for run in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
            for one, other in _each_two(run):
                close = _differing(hashes[one], hashes[other]) <= _MOST_BITS
                for band in earlier:  # in which these two were found already
                    close &= _band(hashes[one], *band) != _band(hashes[other], *band)
                if close.any():
                    yield one[close], other[close]
        earlier.append((begin, width))


def _each_two(places: _Places) -> Iterator[tuple[_Places, _Places]]:
    """Every two of these places, the lower first, a bounded number at a time."""
    rows = max(1, _AT_ONCE // max(1, len(places)))
    for begin in range(0, len(places) - 1, rows):
        part = np.arange(begin, min(begin + rows, len(places) - 1))
        one, other = np.nonzero(np.arange(len(places))[None, :] > part[:, None])
        yield places[part[one]], places[other]


def _band(hashes: _Hashes, begin: int, width: int) -> NDArray[np.uint64]:
    return (hashes >> np.uint64(begin)) & np.uint64((1 << width) - 1)


def _differing(one: _Hashes, other: _Hashes) -> NDArray[np.uint64]:
    """The number of bits that differ, summed up in parallel: numpy counts bits only from version 2 on."""
    bits = one ^ other
    for shift, mask in ((1, 0x5555555555555555), (2, 0x3333333333333333), (4, 0x0F0F0F0F0F0F0F0F)):
        low = np.uint64(mask)
        bits = (bits & low) + ((bits >> np.uint64(shift)) & low)
    return (bits * np.uint64(0x0101010101010101)) >> np.uint64(56)


def _alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether small pictures have nearly the same colours, row by row."""
    difference = np.abs(one.astype(np.int16) - other.astype(np.int16))
    near: NDArray[np.bool_] = difference.mean(axis=-1) <= _MOST_DIFFERENCE
    return near
