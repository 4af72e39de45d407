"""Records that tests make: pictures of one colour with the boxes that a test is about."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from trial_entry.records.detection_example import DetectionExample, ExampleObject
from trial_entry.records.examples import encode_example
from trial_entry.records.tfrecord import write_records


def picture(width: int = 200, height: int = 100, colour: tuple[int, int, int] = (90, 120, 60)) -> bytes:
    """A PNG of one colour."""
    encoded = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(encoded, "PNG")
    return encoded.getvalue()


def box(
    label: int, text: str, xmin: float, ymin: float, xmax: float, ymax: float, is_crowd: bool = False
) -> ExampleObject:
    """Edges in shares."""
    return ExampleObject(label, text, xmin, ymin, xmax, ymax, is_crowd=is_crowd)


def example(
    objects: Sequence[ExampleObject] = (),
    encoded: bytes = b"",
    width: int = 200,
    height: int = 100,
    name: str = "a.png",
) -> DetectionExample:
    """An image of this size with these objects."""
    data = encoded or picture(width, height)
    return DetectionExample(data, "png", width, height, name, name, hashlib.sha256(data).hexdigest(), tuple(objects))


def write(file: Path, *examples: DetectionExample) -> Path:
    """A record file."""
    write_records(file, [encode_example(each.features()) for each in examples])
    return file


def write_label_map(folder: Path, *names: str) -> Path:
    """label_map.pbtxt, numbered from 1."""
    file = folder / "label_map.pbtxt"
    items = (f'item {{ id: {number} name: "{name}" }}\n' for number, name in enumerate(names, 1))
    file.write_text("".join(items), encoding="utf-8")
    return file
