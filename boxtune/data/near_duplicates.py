"""Data's near-duplicates: fingerprints of images, and the search for those that are nearly the same.

A fingerprint is a difference hash of 64 bits (which of two neighbouring cells of a 9 x 8 picture is brighter) and that
picture itself. Images are nearly the same where few bits differ and the small pictures do too: frames of a film, one
photograph saved twice, or shrunk. Plain sky and plain sea have equal bits and other pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trial_entry.images.pixels import eight_bit

Fingerprint = bytes  # 8 of the hash, then the small picture's rows of red, green, blue

_WIDTH, _HEIGHT = 9, 8
_HASH_BYTES = 8
_MOST_BITS = 5  # that may differ: an image saved again differs in 0 to 3, another film's in some 20 or more
_MOST_DIFFERENCE = 10.0  # of the small pictures' colours on average, of 255
_LIGHTER = 4.0  # of 255: fewer is noise, and a plain image's bits would be drawn by chance
# One more than may differ, so that one band at least is equal in two that are nearly the same; 64 bits in all.
_BANDS = ((0, 11), (11, 11), (22, 11), (33, 11), (44, 10), (54, 10))
_AT_ONCE = 1 << 18  # comparisons: some tens of megabytes
# Of images with an equal band, in the order of their brightness, each is compared with so many that follow: all in
# what people have; of a film of a day or of thousands of plain images enough to tie together what is the same.
_MOST_FOLLOWING = 128
_LUMA = np.array([0.299, 0.587, 0.114])
_Hashes = NDArray[np.uint64]
_Places = NDArray[np.int64]


def fingerprint(image: Image.Image) -> Fingerprint:
    """Of an image of any size and mode, whose pixels need be no sharper than an eighth of their size.

    Raises:
        Undecodable: pixels that are no colours.
    """
    small = np.asarray(eight_bit(image).convert("RGB").resize((_WIDTH, _HEIGHT), Image.Resampling.BOX))
    light = small @ _LUMA
    bits = light[:, 1:] > light[:, :-1] + _LIGHTER
    return np.packbits(bits).tobytes() + small.tobytes()


def pairs(fingerprints: Sequence[Fingerprint]) -> Iterator[tuple[int, int]]:
    """Places of two fingerprints that are nearly the same, the lower first; none stands twice.

    Of many with one hash and one picture all are paired with the first of them, which alone is compared with others,
    and with no more than 128 others of each band: a long film is tied together by pairs, though not each with each.
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
    for one, other in _near(hashes[leaders], pictures[leaders]):
        yield from zip(leaders[one].tolist(), leaders[other].tolist(), strict=True)


def groups(fingerprints: Sequence[Fingerprint]) -> list[list[int]]:
    """Places of images that are nearly the same, directly or through others; only groups of two and more."""
    found: dict[int, list[int]] = {}
    for place, number in enumerate(tied_together(len(fingerprints), pairs(fingerprints))):
        found.setdefault(number, []).append(place)
    return [each for each in found.values() if len(each) > 1]


def tied_together(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """The number of the group of each of `count` things, of which these two at a time belong together."""
    from scipy.sparse import coo_array  # here: it takes long to import
    from scipy.sparse.csgraph import connected_components

    ends = np.fromiter((end for edge in edges for end in edge), np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return [int(number) for number in connected_components(graph, directed=False)[1]]


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


def _near(hashes: _Hashes, pictures: NDArray[np.uint8]) -> Iterator[tuple[_Places, _Places]]:
    """Places of those of which few bits differ and the pictures are alike, the lower first, some at a time."""
    colours = pictures.reshape(len(pictures), -1, 3).mean(axis=1, dtype=np.float32)
    brightness = colours.mean(axis=1)
    earlier: list[tuple[int, int]] = []
    for band in _BANDS:
        keys = _band(hashes, *band)
        order = np.lexsort((brightness, keys))
        for one, other in _neighbours(keys[order], brightness[order]):
            first, second = order[one], order[other]
            close = _differing(hashes[first], hashes[second]) <= _MOST_BITS
            for before in earlier:  # in which these two were found already
                close &= _band(hashes[first], *before) != _band(hashes[second], *before)
            first, second = first[close], second[close]
            close = np.abs(colours[first] - colours[second]).mean(axis=1) <= _MOST_DIFFERENCE  # at least that far apart
            first, second = first[close], second[close]
            close = _alike(pictures[first], pictures[second])
            first, second = first[close], second[close]
            if len(first):
                yield np.minimum(first, second), np.maximum(first, second)
        earlier.append(band)


def _neighbours(keys: NDArray[np.uint64], brightness: NDArray[np.float32]) -> Iterator[tuple[_Places, _Places]]:
    """Every two of equal keys and near brightness, of what is sorted by both; a bounded number at a time."""
    count = len(keys)
    starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] ^ np.uint64(1)))
    ends = np.append(starts[1:], count)
    following = np.empty(count, np.int64)
    for start, end in zip(starts, ends, strict=True):
        part = brightness[start:end]
        last = np.searchsorted(part, part + np.float32(_MOST_DIFFERENCE), side="right")
        following[start:end] = last - np.arange(1, end - start + 1)
    following = np.minimum(following, _MOST_FOLLOWING)
    rows = max(1, _AT_ONCE // _MOST_FOLLOWING)
    for begin in range(0, count, rows):
        numbers = following[begin : begin + rows]
        one = np.repeat(np.arange(begin, begin + len(numbers)), numbers)
        offset = np.arange(len(one)) - np.repeat(np.cumsum(numbers) - numbers, numbers)
        yield one, one + 1 + offset


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
