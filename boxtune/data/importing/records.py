"""Data's records: one image, looked at, as the Example that a detector trains on, or as many as it has tiles."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Box
from boxtune.data.importing.index import Look
from boxtune.data.importing.sources import image_bytes
from boxtune.data.importing.tiling import Tiling, tiles
from trial_entry.images.pixels import Size, Undecodable, encoded, is_lossy, upright
from trial_entry.images.rasters import RASTER, Raster, Window
from trial_entry.records.detection_example import DetectionExample, ExampleObject
from trial_entry.records.examples import encode_example


@dataclass(frozen=True)
class RecordOptions:
    """What becomes of an image.

    Attributes:
        numbers: of the classes, by label.
        tiling: how it is cut; None for whole images.
        max_side: in pixels; larger ones are shrunk to it; 0 for none.
    """

    numbers: Mapping[str, int]
    tiling: Tiling | None = None
    max_side: int = 0


def examples(image: AnnotatedImage, look: Look, options: RecordOptions) -> Iterator[bytes]:
    """The serialized Examples of one image.

    Raises:
        Undecodable: it was changed since it was looked at, or a part of it is damaged.
    """
    if options.tiling is not None:
        yield from _tiled(image, look, options.tiling, options)
        return
    data = image_bytes(image)
    digest = hashlib.sha256(data).hexdigest()
    if digest != look.sha256:
        raise Undecodable("changed while it was read")
    if options.max_side and max(look.size) > options.max_side:
        small = _shrunk(data, options.max_side)
        yield _example(image.name, _Picture.of(small, lossless=False), _scaled(look, small.size), options)
    elif look.kept_as:
        yield _example(image.name, _Picture(data, look.kept_as, look.size, digest), look.objects, options)
    else:
        yield _example(image.name, _Picture.of(upright(data), not is_lossy(data)), look.objects, options)


@dataclass(frozen=True)
class _Picture:
    """An image file as it goes into a record."""

    data: bytes
    format: str
    size: Size
    sha256: str

    @classmethod
    def of(cls, image: Image.Image, lossless: bool) -> _Picture:
        """Pixels, written anew."""
        data, form = encoded(image, lossless)
        return cls(data, form, image.size, hashlib.sha256(data).hexdigest())


def _tiled(image: AnnotatedImage, look: Look, tiling: Tiling, options: RecordOptions) -> Iterator[bytes]:
    path = PurePosixPath(image.name)
    with closing(_Windows(image, look)) as windows:
        for tile in tiles(look.objects, look.size, tiling, look.sha256):
            pixels = windows.read(tile.window)
            name = path.with_name(f"{path.stem}_{'_'.join(map(str, tile.window))}{path.suffix}").as_posix()
            yield _example(name, _Picture.of(pixels, windows.lossless), tile.objects, options)


class _Windows:
    """An image's windows: of a raster read one by one, of any other cut out of the whole."""

    def __init__(self, image: AnnotatedImage, look: Look) -> None:
        self.read: Callable[[Window], Image.Image]
        if look.kept_as == RASTER:
            raster = Raster(image.file)
            self.lossless, self.read, self.close = False, raster.window, raster.close
            return
        data = image_bytes(image)
        whole = upright(data)
        self.lossless, self.read, self.close = not is_lossy(data), whole.crop, whole.close


def _shrunk(data: bytes, side: int) -> Image.Image:
    image = upright(data)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def _scaled(look: Look, size: Size) -> tuple[AnnotatedObject, ...]:
    x, y = size[0] / look.size[0], size[1] / look.size[1]
    return tuple(
        replace(each, box=(each.box[0] * x, each.box[1] * y, each.box[2] * x, each.box[3] * y)) for each in look.objects
    )


def _example(name: str, picture: _Picture, objects: Sequence[AnnotatedObject], options: RecordOptions) -> bytes:
    return encode_example(
        DetectionExample(
            encoded=picture.data,
            format=picture.format,
            width=picture.size[0],
            height=picture.size[1],
            filename=name,
            source_id=name,
            sha256=picture.sha256,
            objects=tuple(
                ExampleObject(
                    options.numbers[each.label],
                    each.label,
                    *_shares(each.box, picture.size),
                    area=(each.box[2] - each.box[0]) * (each.box[3] - each.box[1]),
                    is_crowd=each.is_crowd,
                    difficult=each.difficult,
                    truncated=each.truncated,
                    group_of=each.group_of,
                )
                for each in objects
            ),
        ).features()
    )


def _shares(box: Box, size: Size) -> Box:
    """A box as shares of the image; in the records' 32 bits it is no smaller than in pixels."""
    width, height = size
    xmin, ymin, xmax, ymax = box
    return (
        _outward(xmin / width, 0),
        _outward(ymin / height, 0),
        _outward(xmax / width, 1),
        _outward(ymax / height, 1),
    )


def _outward(share: float, end: int) -> float:
    """The nearest number of 32 bits on that side of a share from 0 to 1."""
    near = np.float32(share)
    is_inward = float(near) > share if end == 0 else float(near) < share
    return float(np.nextafter(near, np.float32(end)) if is_inward else near)
