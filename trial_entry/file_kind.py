"""A trial's files: what a file is by its first bytes, said where it is not what its name or place promised."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import google_crc32c

HEAD_BYTES = 512  # as many as `kind_of` needs
_RECORD_HEADER = struct.Struct("<QI")  # of a TFRecord: the length, and its masked checksum
_MASK_DELTA = 0xA282EAD8
_UNPACK = "unpack it"


@dataclass(frozen=True)
class FileKind:
    """What a file is.

    Attributes:
        name: with its article, after "is".
        right: what to do with it; empty where that depends on what was wanted.
    """

    name: str
    right: str = ""


# The offset at which the bytes stand, they themselves.
_BY_BYTES: tuple[tuple[int, bytes, FileKind], ...] = (
    (0, b"version https://git-lfs.github.com", FileKind("a Git LFS pointer, not the file", "fetch it: git lfs pull")),
    (0, b"\x1f\x8b", FileKind("compressed by gzip", "unpack it: gunzip")),
    (0, b"BZh", FileKind("compressed by bzip2", _UNPACK)),
    (0, b"\xfd7zXZ\0", FileKind("compressed by xz", _UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", FileKind("compressed by zstd", _UNPACK)),
    (0, b"PK\x03\x04", FileKind("a zip archive", _UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", FileKind("a 7-Zip archive", _UNPACK)),
    (257, b"ustar", FileKind("a tar archive", _UNPACK)),
    (0, b"\x89HDF\r\n", FileKind("an HDF5 file")),
    (0, b"SQLite format 3", FileKind("an SQLite database")),
    (0, b"\x89PNG", FileKind("a PNG image")),
    (0, b"\xff\xd8\xff", FileKind("a JPEG image")),
    (0, b"GIF8", FileKind("a GIF image")),
    (0, b"%PDF", FileKind("a PDF")),
    (0, b"\x93NUMPY", FileKind("a numpy array")),
    (0, b"\x7fELF", FileKind("a program")),
    (4, b"TFL3", FileKind("a TFLite model")),
    (0, b"PAR1", FileKind("a Parquet file")),
)
_WEB = (b"<!doctype html", b"<html", b"<head")


def kind_of(head: bytes) -> FileKind | None:
    """What a file that begins with `head` is; None where it may be a text, or is nothing that is known here."""
    if not head:
        return FileKind("empty")
    for offset, first, kind in _BY_BYTES:
        if head.startswith(first, offset):
            return kind
    start = head.lstrip().lower()
    if start.startswith(_WEB):
        return FileKind("an HTML page", "a download gave it in the place of the file; fetch the file itself")
    if start.startswith((b"<?xml", b"<annotation")):
        return FileKind("XML")
    return FileKind("a TFRecord file") if is_record_header(head) else None


def is_record_header(head: bytes) -> bool:
    """Whether a TFRecord may begin so: a length, and the masked checksum of it."""
    if len(head) < _RECORD_HEADER.size:
        return False
    _, checksum = _RECORD_HEADER.unpack_from(head)
    crc = int(google_crc32c.value(head[:8]))
    return bool(((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF == checksum)
