"""The images' room, reading: pixels of a file or of a window of it, as seen; a file is decoded once for its windows."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trial_entry.images.pixels import Size, Undecodable, opened, orientation_of, seen_size, upright
from trial_entry.images.rasters import Raster, Window, read_by_windows


@dataclass(frozen=True)
class Seen:
    """A window of an image.

    Attributes:
        size: width and height of the whole image, in pixels.
        pixels: [height, width, 3], RGB, of the window.
    """

    size: Size
    pixels: NDArray[np.uint8]


class ImageReader:
    """Reads images; the last file stays open, so that its windows in a row cost one decoding."""

    def __init__(self) -> None:
        self._file: Path | None = None
        self._whole: Image.Image | None = None
        self._raster: Raster | None = None

    def read(self, file: Path, window: Window | None) -> Seen:
        """The pixels of `window`; of the whole image where it is None.

        Raises:
            Undecodable: no image, too large, or the window is not in it; the message says why, without the file.
        """
        if file != self._file:
            self._open(file)
        if self._raster is not None:
            size = self._raster.size
            if window is None:
                raise Undecodable(f"{size[0] * size[1] // 1_000_000} megapixels, read in tiles alone; give --tile")
            part = self._raster.window(_inside(window, size))
        else:
            assert self._whole is not None
            size = self._whole.size
            part = self._whole if window is None else self._whole.crop(_inside(window, size))
        return Seen(size, np.asarray(part.convert("RGB")))

    def close(self) -> None:
        """Let go of the file."""
        if self._raster is not None:
            self._raster.close()
        self._file = self._raster = self._whole = None

    def _open(self, file: Path) -> None:
        self.close()
        try:
            if read_by_windows(file):
                self._raster = Raster(file)
            else:
                self._whole = upright(file.read_bytes())
        except OSError as error:
            raise Undecodable(f"cannot be read: {error.strerror}") from None
        self._file = file


def size_as_seen(file: Path) -> Size:
    """Width and height of an image file as seen; its pixels are not decoded.

    Raises:
        Undecodable: no image, or too large to be read.
    """
    try:
        if read_by_windows(file):
            with closing(Raster(file)) as raster:
                return raster.size
        with opened(file.read_bytes()) as image:
            return seen_size(image.size, orientation_of(image))
    except OSError as error:
        raise Undecodable(f"cannot be read: {error.strerror}") from None


def _inside(window: Window, size: Size) -> Window:
    left, top, right, lower = window
    if not (0 <= left < right <= size[0] and 0 <= top < lower <= size[1]):
        raise Undecodable(f"has {size[0]} x {size[1]} pixels, and no window {list(window)}")
    return window


def picture_of(file: Path, edge: int) -> Image.Image:
    """The whole image as seen, in RGB, its longer edge no longer than `edge` pixels.

    Raises:
        Undecodable: no image, or too large to be read.
    """
    try:
        if read_by_windows(file):
            with closing(Raster(file)) as raster:
                return raster.overview(edge).convert("RGB")
        picture = upright(file.read_bytes()).convert("RGB")
    except OSError as error:
        raise Undecodable(f"cannot be read: {error.strerror}") from None
    picture.thumbnail((edge, edge))
    return picture
