"""A tile: the right part of the image, with boxes where the objects are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxtune.data.record_files import Place
from boxtune.data.sheet.cutouts import EDGE, Tile, make_tile
from boxtune.data.sheet.survey import Pick
from tests.boxtune.data.made import box, example
from trial_entry.records.detection_example import DetectionExample

RED, PLACE = (230, 20, 20), Place("train", Path("train.record"), 7)


def red_at(
    left: int, top: int, right: int, bottom: int, width: int, height: int, mode: str = "RGB"
) -> DetectionExample:
    """A dark image with one red rectangle, and the box around it (and another one elsewhere)."""
    image = Image.new("RGB", (width, height), (5, 5, 15))
    image.paste(RED, (left, top, right, bottom))
    encoded = io.BytesIO()
    image.convert(mode).save(encoded, "TIFF" if mode == "CMYK" else "PNG")
    around = box(1, "red", left / width, top / height, right / width, bottom / height)
    other = box(2, "other", 0.0, 0.0, 0.02, 0.02)
    return example([around, other], encoded.getvalue(), width, height)


def tile_of(made: DetectionExample, *marked: int) -> Tile:
    return make_tile(made, Pick(PLACE, marked, "what is to be seen"))


def assert_boxes_the_red(tile: Tile) -> None:
    """The marked box encloses what is red, to a pixel or two of the tile."""
    pixels = np.asarray(Image.open(io.BytesIO(tile.jpeg)).convert("RGB"), int)
    assert pixels.shape == (tile.height, tile.width, 3)
    red = (pixels[..., 0] > 120) & (pixels[..., 1] < 100)
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    marked = tile.boxes[-1]
    assert (marked.label, marked.marked) == ("red", True)
    assert [marked.x, marked.y] == pytest.approx([columns[0], rows[0]], abs=2.5)
    assert [marked.x + marked.width, marked.y + marked.height] == pytest.approx(
        [columns[-1] + 1, rows[-1] + 1], abs=2.5
    )


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "P"])
@pytest.mark.parametrize(
    ("rectangle", "size"),
    [
        ((100, 50, 400, 300), (640, 480)),  # large: the whole image
        ((600, 440, 606, 444), (640, 480)),  # tiny, in the corner: its surroundings
        ((1500, 1200, 1530, 1210), (2400, 1800)),  # small in a large one
        ((0, 10, 90, 30), (1200, 40)),  # a panorama
        ((1, 1, 5, 5), (8, 8)),  # an image smaller than a tile
    ],
)
def test_the_marked_box_is_around_its_object(
    rectangle: tuple[int, int, int, int], size: tuple[int, int], mode: str
) -> None:
    tile = tile_of(red_at(*rectangle, *size, mode=mode), 0)
    assert max(tile.width, tile.height) <= EDGE + 1
    assert_boxes_the_red(tile)


def test_a_tiny_object_is_enlarged() -> None:
    tile = tile_of(red_at(600, 440, 606, 444, 640, 480), 0)
    assert tile.boxes[-1].width > 30
    assert [each.label for each in tile.boxes] == ["red"]  # the other box is elsewhere


def test_a_large_photograph_is_decoded_small() -> None:
    image = Image.new("RGB", (4000, 3000), (5, 5, 15))
    image.paste(RED, (1000, 500, 3000, 2500))
    encoded = io.BytesIO()
    image.save(encoded, "JPEG")
    made = example([box(1, "red", 0.25, 500 / 3000, 0.75, 2500 / 3000)], encoded.getvalue(), 4000, 3000)
    tile = tile_of(made, 0)
    assert (tile.width, tile.height) == (320, 240)
    assert_boxes_the_red(tile)


def test_outside_of_the_image_is_grey() -> None:
    made = example([box(1, "cat", 0.8, 0.5, 1.2, 0.9)], width=200, height=100)
    tile = tile_of(made, 0)
    pixels = np.asarray(Image.open(io.BytesIO(tile.jpeg)))
    assert tile.width / tile.height == pytest.approx(240 / 100, rel=0.02)
    assert abs(pixels[5, -5].astype(int) - 128).max() < 8
    assert abs(pixels[5, 5].astype(int) - (90, 120, 60)).max() < 8
    assert tile.boxes[0].x + tile.boxes[0].width == pytest.approx(tile.width, abs=1)


def test_sixteen_bits_are_shown_in_their_range() -> None:
    values = np.linspace(1000, 1400, 200 * 100).reshape(100, 200).astype(np.uint16)
    encoded = io.BytesIO()
    Image.fromarray(values).save(encoded, "PNG")
    pixels = np.asarray(Image.open(io.BytesIO(tile_of(example(encoded=encoded.getvalue())).jpeg)))
    assert pixels.min() < 10
    assert pixels.max() > 245


def test_boxes_without_a_place_are_not_drawn() -> None:
    made = example(
        [box(1, "a", float("nan"), 0, 1, 1), box(1, "a", 20, 10, 90, 60), box(1, "flat", 0.5, 0.2, 0.5, 0.8)]
    )
    tile = tile_of(made, 0, 1, 2)
    assert [each.label for each in tile.boxes] == ["flat"]
    assert tile.boxes[0].width == 1  # seen all the same


def test_what_cannot_be_decoded_has_words_alone() -> None:
    whole = red_at(100, 50, 400, 300, 640, 480)
    for encoded in (b"", b"nonsense", whole.encoded[: len(whole.encoded) // 2]):
        tile = make_tile(
            DetectionExample(encoded or b"-", "png", 640, 480, "folder/name.png", "", "", whole.objects),
            Pick(PLACE, (0,), "note"),
        )
        assert tile.jpeg == b""
        assert (tile.note, tile.classes) == ("note", "red; besides other")
        assert tile.place == "train.record, record 7: folder/name.png"


def test_a_crowded_image_names_the_most_frequent_classes() -> None:
    made = example([box(1, f"class {number % 9}", 0.1, 0.1, 0.2, 0.2) for number in range(85)])
    said = tile_of(made).classes
    assert said == "10 × class 0, 10 × class 1, 10 × class 2, 10 × class 3 and 5 more classes"
