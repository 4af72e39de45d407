"""Records for tests: sound images with objects, which a test makes wrong in one thing."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.conftest import write_config
from trial_entry.pipeline_config.inputs import resolve_paths
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import read_config
from trial_entry.records.examples import encode_example
from trial_entry.records.tfrecord import write_records

NAMES = ("car", "bus", "tram")
BBOX, OBJECT = "image/object/bbox/", "image/object/"
LABEL, TEXT, ENCODED = OBJECT + "class/label", OBJECT + "class/text", "image/encoded"
Features = dict[str, Any]
Change = Callable[[Features, int], object]  # of an image and its number
Made = Callable[[Change, Change], TrainEvalPipelineConfig]


def picture(seed: int, mode: str = "RGB", size: tuple[int, int] = (96, 64), kind: str = "PNG", **options: Any) -> bytes:
    """A file of `size` (width, height) pixels in which no other seed's picture can be seen."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def without_rows() -> bytes:
    """A whole PNG file of 96 x 64 pixels, of which the rows are missing: only decoding finds it."""
    head, rows = struct.pack(">IIBBBBB", 96, 64, 8, 2, 0, 0, 0), zlib.compress(bytes(100))
    chunks = [(b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def features(seed: int, **picture_options: Any) -> Features:
    """One image with a box of each of two classes."""
    classes = [seed % 3 + 1, (seed + 1) % 3 + 1]
    width, height = picture_options.get("size", (96, 64))
    return {
        ENCODED: picture(seed, **picture_options),
        "image/format": picture_options.get("kind", "PNG").lower().encode(),
        "image/filename": f"{seed}.png".encode(),
        "image/source_id": f"{seed}".encode(),
        "image/height": [height],
        "image/width": [width],
        BBOX + "xmin": [0.25, 0.1],
        BBOX + "ymin": [0.25, 0.6],
        BBOX + "xmax": [0.5, 0.4],
        BBOX + "ymax": [0.5, 0.9],
        TEXT: [NAMES[each - 1].encode() for each in classes],
        LABEL: classes,
    }


def write(path: Path, images: Sequence[Features]) -> Path:
    """The record file `path` with these images."""
    write_records(path, [encode_example(each) for each in images])
    return path


def boxes(image: Features, how: Callable[[str, float], float]) -> None:
    """Change every side's every value: `how` takes the side's name and the value."""
    for side in ("xmin", "ymin", "xmax", "ymax"):
        image[BBOX + side] = [float(how(side, value)) for value in image[BBOX + side]]


def without_boxes(image: Features) -> None:
    """An image of the background alone."""
    for name in [each for each in image if each.startswith(OBJECT)]:
        del image[name]


def label_map(path: Path, names: Sequence[str] = NAMES) -> Path:
    """A label map of `names`, from 1."""
    items = (f"item {{ id: {number} name: '{name}' }}\n" for number, name in enumerate(names, 1))
    path.write_text("".join(items), encoding="utf-8")
    return path


def config_of(folder: Path, **changes: str) -> TrainEvalPipelineConfig:
    """A config of three classes that reads train.record, validation.record and label_map.pbtxt in `folder`."""
    config = read_config(write_config(folder, **{"num_classes: 5": "num_classes: 3"} | changes))
    resolve_paths(config, folder)
    return config


def in_pixels(image: Features) -> None:
    """Boxes in pixels."""
    boxes(image, lambda side, value: value * (96 if side.startswith("x") else 64))


def edge(image: Features, name: str, value: float) -> object:
    """Move one edge of the second box."""
    image[BBOX + name][1] = value
    return None


def one_side(name: str, value: float) -> Callable[[Features], object]:
    """Move one edge of the second box."""
    return partial(edge, name=name, value=value)


def texts(change: Callable[[bytes], bytes]) -> Callable[[Features], None]:
    """Another text for every object."""
    return lambda image: image.update({TEXT: [change(text) for text in image[TEXT]]})


def every(change: Callable[[Features], object]) -> Change:
    """A change of every image."""
    return lambda image, number: change(image)


def only(wanted: int, change: Callable[[Features], object]) -> Change:
    """A change of one image, by its number."""
    return lambda image, number: change(image) if number == wanted else None


def labels_of_nothing(image: Features) -> None:
    """An empty list, which is written as one of floats."""
    without_boxes(image)
    image[LABEL] = []


def of_size(image: Features, size: tuple[int, int]) -> None:
    """Another picture, of this size."""
    image.update({ENCODED: picture(3, size=size), "image/width": [size[0]], "image/height": [size[1]]})


def without(*names: str) -> Callable[[Features], object]:
    """Features left out."""
    return lambda image: [image.pop(name) for name in names]


def nothing(image: Features, number: int) -> None:
    """As it is."""
