"""Data's images: how large one in a record is, without decoding it."""

from __future__ import annotations

from trial_entry.images.pixels import Undecodable, opened
from trial_entry.records.detection_example import DetectionExample


def encoded_size(encoded: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as the file's header has them; None where it is no image."""
    try:
        with opened(encoded) as image:
            return int(image.width), int(image.height)
    except Undecodable:
        return None


def image_size(example: DetectionExample) -> tuple[int, int] | None:
    """Width and height in pixels: the record's, else the image's; None where neither says."""
    if example.width > 0 and example.height > 0:
        return example.width, example.height
    return encoded_size(example.encoded)
