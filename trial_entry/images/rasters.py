"""The images' room, orthophotos: TIFFs too large to decode whole, read by windows by rasterio (the extra `geo`)."""

from __future__ import annotations

import logging
import warnings
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from trial_entry.images.pixels import Size, Undecodable

Window = tuple[int, int, int, int]  # left, top, right, lower, in pixels
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # TIFF and BigTIFF
_COLOURS = 3
_CACHE = 128 << 20  # bytes of decoded blocks; by itself GDAL takes a twentieth of the memory
_LARGE = 50_000_000  # pixels
RASTER = "raster"  # what `Look.kept_as` says of a file that is read by windows


def read_by_windows(file: Path) -> bool:
    """Whether a file is a TIFF of so many pixels that it should not be decoded whole, and rasterio is there to do so.

    Raises:
        Undecodable: it begins as a TIFF and is none.
    """
    with file.open("rb") as opened:
        if opened.read(4) not in _MAGIC or find_spec("rasterio") is None:
            return False
    with closing(Raster(file)) as raster:
        return raster.size[0] * raster.size[1] > _LARGE


class Raster:
    """A TIFF that is read window by window."""

    def __init__(self, file: Path) -> None:
        """
        Raises:
            Undecodable: rasterio cannot read it, or its pixels are no colours.
        """
        import rasterio

        logging.getLogger("rasterio").setLevel(logging.ERROR)
        try:
            with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=_CACHE):
                warnings.simplefilter("ignore")  # a TIFF without world coordinates is what most are
                self._file: Any = rasterio.open(file)
        except Exception as error:  # GDAL's errors, by whichever driver
            raise Undecodable(f"cannot be read as an image: {error}") from None
        kind = self._file.dtypes[0]
        if kind not in ("uint8", "uint16"):
            raise Undecodable(f"pixels of {kind}, which are no colours; not an image to detect in")
        self._is_deep = kind == "uint16"
        self.size: Size = (self._file.width, self._file.height)
        self.has_world = not self._file.transform.is_identity

    def window(self, window: Window) -> Image.Image:
        """The pixels of a window, in mode RGB or L.

        Raises:
            Undecodable: that part of the file is damaged.
        """
        return self._read(window, (window[2] - window[0], window[3] - window[1]))

    def overview(self, edge: int) -> Image.Image:
        """All of it, smaller: its longer edge no longer than `edge` pixels.

        Raises:
            Undecodable: the file is damaged.
        """
        factor = min(1.0, edge / max(self.size))
        return self._read((0, 0, *self.size), (max(1, int(self.size[0] * factor)), max(1, int(self.size[1] * factor))))

    def _read(self, window: Window, size: Size) -> Image.Image:
        import rasterio
        from rasterio.windows import Window as RasterWindow

        left, top, right, lower = window
        bands = list(range(1, _COLOURS + 1)) if self._file.count >= _COLOURS else [1]
        shape = (len(bands), size[1], size[0])
        try:
            with rasterio.Env(GDAL_CACHEMAX=_CACHE):
                part = RasterWindow(left, top, right - left, lower - top)
                pixels = self._file.read(bands, window=part, out_shape=shape)
        except Exception as error:  # as above
            raise Undecodable(f"does not decode as an image: {error}") from None
        if self._is_deep:
            pixels = pixels >> 8
        pixels = pixels.astype(np.uint8)
        return Image.fromarray(pixels[0] if len(bands) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
