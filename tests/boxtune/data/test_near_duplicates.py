"""Nearly the same images are found, others are not, and many of them neither take long nor much memory."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from boxtune.data.near_duplicates import Fingerprint, fingerprint, groups, pairs


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    """Two photographs, each cut in four that have nothing in common."""
    wholes = [Image.fromarray(each) for each in load_sample_images().images]
    return [
        whole.crop((x * 320, y * 213, (x + 1) * 320, (y + 1) * 213)) for whole in wholes for x in (0, 1) for y in (0, 1)
    ]


def saved_again(image: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=40)
    return Image.open(stream)


def noisy(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image) + np.random.default_rng(0).normal(0, 10, (image.height, image.width, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def plain(colour: tuple[int, int, int], seed: int) -> Image.Image:
    pixels = np.full((120, 160, 3), colour) + np.random.default_rng(seed).normal(0, 3, (120, 160, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


SAME: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again": saved_again,
    "shrunk": lambda image: image.resize((image.width // 2, image.height // 2)),
    "stretched": lambda image: image.resize((200, 200)),
    "the next frame": lambda image: image.crop((2, 1, image.width, image.height)),
    "noise": noisy,
    "a little brighter": lambda image: Image.fromarray((np.asarray(image) // 2 + 66).astype(np.uint8)).point(
        lambda value: max(0, 2 * value - 126)
    ),
    "a palette": lambda image: image.quantize(256),
}


@pytest.mark.parametrize("how", SAME)
def test_one_photograph_changed_a_little_is_nearly_the_same(photographs: list[Image.Image], how: str) -> None:
    for image in photographs:
        assert list(pairs([fingerprint(image), fingerprint(SAME[how](image))])) == [(0, 1)]


def test_different_photographs_are_not(photographs: list[Image.Image]) -> None:
    mirrored = [image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for image in photographs]
    assert list(pairs([fingerprint(image) for image in (*photographs, *mirrored)])) == []


def test_plain_sky_is_no_plain_sea() -> None:
    skies = [fingerprint(plain((120, 160, 230), seed)) for seed in range(3)]
    seas = [fingerprint(plain((40, 90, 130), seed)) for seed in range(3)]
    assert len({each[:8] for each in (*skies, *seas)}) == 1  # the hash alone would not tell
    assert groups([*skies, *seas]) == [[0, 1, 2], [3, 4, 5]]


def test_sixteen_bits_are_not_cut_off() -> None:
    ramp = np.tile(np.linspace(0, 65_535, 90, dtype=np.uint16), (80, 1))
    grey = Image.fromarray((ramp >> 8).astype(np.uint8))
    assert list(pairs([fingerprint(Image.fromarray(ramp)), fingerprint(grey)])) == [(0, 1)]


def prints(hashes: np.ndarray, pictures: np.ndarray) -> list[Fingerprint]:
    return [key.tobytes() + picture.tobytes() for key, picture in zip(hashes, pictures, strict=True)]


def test_pairs_are_those_that_comparing_each_with_each_finds() -> None:
    """Random bits, some of them changed in 0 to 8 places: exactly those with up to 5 are pairs, each once."""
    random = np.random.default_rng(1)
    hashes = random.integers(0, 256, (60, 8), np.uint8)
    pictures = random.integers(0, 256, (60, 216), np.uint8)
    again, changed = hashes.copy(), []
    for number, row in enumerate(again):
        places = random.choice(64, number % 9, replace=False)
        for place in places:
            row[place // 8] ^= 1 << (place % 8)
        changed.append(len(places))
    found = list(pairs([*prints(hashes, pictures), *prints(again, pictures)]))
    assert sorted(found) == [(number, number + 60) for number in range(60) if changed[number] <= 5]
    assert len(found) == len(set(found))


def test_a_group_is_tied_together_by_its_pairs(photographs: list[Image.Image]) -> None:
    film = [fingerprint(photographs[0].crop((step, 0, 300 + step, 213))) for step in range(0, 20, 2)]
    other = fingerprint(photographs[5])
    assert groups([*film[:5], other, *film[5:]]) == [[0, 1, 2, 3, 4, 6, 7, 8, 9, 10]]
    assert groups([]) == groups([other]) == []
    assert list(pairs([])) == []


@pytest.mark.parametrize("kind", ["different", "films", "one film", "plain"])
def test_many_images_are_compared_in_bounds(kind: str) -> None:
    """Of 20,000 images no more pairs come than each with its neighbours, whatever they show."""
    random, count = np.random.default_rng(2), 20_000
    hashes = random.integers(0, 256, (count, 8), np.uint8)
    pictures = random.integers(0, 256, (count, 216), np.uint8)
    if kind == "films":
        hashes, pictures = (np.repeat(each[:1000], 20, axis=0) for each in (hashes, pictures))
    if kind == "one film":
        pictures = np.repeat(pictures[:1], count, axis=0)
        hashes = np.repeat(hashes[:1], count, axis=0)
        hashes[np.arange(count), random.integers(0, 8, count)] ^= (1 << random.integers(0, 8, count)).astype(np.uint8)
    if kind == "plain":
        hashes[:] = 0
        pictures = np.tile(random.integers(0, 256, (count, 3), np.uint8), 72)
    found = list(pairs(prints(hashes, pictures)))
    assert len(set(found)) == len(found) <= count * 128
    if kind == "different":
        assert found == []
    if kind == "films":
        assert [len(each) for each in groups(prints(hashes, pictures))] == [20] * 1000
    if kind == "one film":
        assert len(groups(prints(hashes, pictures))) == 1
