"""Images are read as they are seen, whole or a window of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trial_entry.images.pixels import TAG, Undecodable
from trial_entry.images.rasters import Raster
from trial_entry.images.reading import ImageReader, picture_of, size_as_seen


def quarters(file: Path, orientation: int = 1, **options: object) -> Path:
    """60 x 40 pixels: left upper red, right upper green, left lower blue, right lower white."""
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:20, :30, 0], pixels[:20, 30:, 1], pixels[20:, :30, 2], pixels[20:, 30:] = 255, 255, 255, 255
    exif = Image.Exif()
    exif[TAG] = orientation
    Image.fromarray(pixels).save(file, exif=exif, **options)
    return file


def test_whole_and_windows(tmp_path: Path) -> None:
    file, reader = quarters(tmp_path / "a.png"), ImageReader()
    whole = reader.read(file, None)
    assert (whole.size, whole.pixels.shape) == ((60, 40), (40, 60, 3))
    part = reader.read(file, (30, 0, 60, 20))
    assert part.size == (60, 40)
    assert np.array_equal(part.pixels, whole.pixels[:20, 30:])
    assert (part.pixels == [0, 255, 0]).all()


def test_a_turned_image_is_seen_upright(tmp_path: Path) -> None:
    file = quarters(tmp_path / "a.png", orientation=6)  # to be turned clockwise
    assert size_as_seen(file) == (40, 60)
    seen = ImageReader().read(file, (20, 0, 40, 30))
    assert seen.size == (40, 60)
    assert (seen.pixels == [255, 0, 0]).all()  # left upper has become right upper
    assert picture_of(file, 30).size == (20, 30)


@pytest.mark.parametrize("window", [(0, 0, 61, 40), (-1, 0, 10, 10), (10, 10, 10, 20)])
def test_a_window_outside_is_said(tmp_path: Path, window: tuple[int, int, int, int]) -> None:
    with pytest.raises(Undecodable, match="has 60 x 40 pixels, and no window"):
        ImageReader().read(quarters(tmp_path / "a.png"), window)


def test_what_is_no_image_is_said_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    reader = ImageReader()
    with pytest.raises(Undecodable, match="cannot be read as an image"):
        reader.read(tmp_path / "text.jpg", None)
    with pytest.raises(Undecodable, match="No such file"):
        reader.read(tmp_path / "missing.jpg", None)
    assert reader.read(quarters(tmp_path / "a.png"), None).size == (60, 40)
    with pytest.raises(Undecodable):
        size_as_seen(tmp_path / "text.jpg")


def test_the_overview_of_a_raster(tmp_path: Path) -> None:
    raster = Raster(quarters(tmp_path / "a.tif"))
    small = np.asarray(raster.overview(6))
    assert small.shape == (4, 6, 3)
    assert small[0, 0].tolist() == [255, 0, 0]
    assert small[3, 5].tolist() == [255, 255, 255]
    assert np.asarray(raster.window((30, 20, 60, 40))).min() == 255
    raster.close()
