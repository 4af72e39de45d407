"""Data's bytes: an image's file, or the image within a record."""

from __future__ import annotations

from pathlib import Path

from boxtune.data.annotations import AnnotatedImage
from trial_entry.errors import DataError
from trial_entry.images.pixels import Undecodable
from trial_entry.records.examples import decode_example
from trial_entry.records.tfrecord import read_record


def image_bytes(image: AnnotatedImage) -> bytes:
    """The bytes of an image file.

    Raises:
        Undecodable: it cannot be read.
    """
    try:
        return _of_record(image.file, image.offset) if image.offset >= 0 else image.file.read_bytes()
    except OSError as error:
        raise Undecodable(f"cannot be read: {error.strerror}") from None
    except DataError as error:
        raise Undecodable(str(error)) from None


def _of_record(file: Path, offset: int) -> bytes:
    features = decode_example(read_record(file, offset), f"{file}: the record at byte {offset}")
    found: bytes = next(iter(features.get("image/encoded", [])), b"")
    return found
