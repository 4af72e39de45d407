"""Data's orthophotos: TIFFs too large to decode whole, read window by window by rasterio (the extra `geo`)."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from boxtune.data.orientation import Size
from boxtune.data.pixels import Undecodable
from boxtune.data.tiling import Window

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # TIFF and BigTIFF
_COLOURS = 3
_LARGE = 32 << 20  # bytes of the file
RASTER = "raster"  # what `Look.kept_as` says of a file that is read by windows


def is_large_tiff(file: Path) -> bool:
    """Whether a file begins as a TIFF does and holds more than is decoded at once."""
    with file.open("rb") as opened:
        return opened.read(4) in _MAGIC and file.stat().st_size > _LARGE


class Raster:
    """A TIFF that is read window by window."""

    def __init__(self, file: Path) -> None:
        """
        Raises:
            Undecodable: rasterio is not installed, or cannot read it, or its pixels are no colours.
        """
        try:
            import rasterio
        except ImportError:
            raise Undecodable('too large to decode whole; pip install "boxtune[geo]" reads it by windows') from None
        logging.getLogger("rasterio").setLevel(logging.ERROR)
        try:
            with warnings.catch_warnings():
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
        from rasterio.windows import Window as RasterWindow

        left, top, right, lower = window
        bands = list(range(1, _COLOURS + 1)) if self._file.count >= _COLOURS else [1]
        try:
            pixels = self._file.read(bands, window=RasterWindow(left, top, right - left, lower - top))
        except Exception as error:  # as above
            raise Undecodable(f"does not decode as an image: {error}") from None
        if self._is_deep:
            pixels = pixels >> 8
        pixels = pixels.astype(np.uint8)
        return Image.fromarray(pixels[0] if len(bands) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
