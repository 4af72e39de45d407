"""TFRecord files: little-endian length, masked CRC-32C of it, data, masked CRC-32C of the data.

The framing is TensorFlow's `tensorflow/core/lib/io/record_writer.h`; masking is in `tensorflow/core/lib/hash/crc32c.h`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from trial_entry.errors import DataError

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8


@dataclass(frozen=True)
class RecordSummary:
    """What can be said of record files without reading their data.

    Attributes:
        count: number of records.
        digest: SHA-256 (hexadecimal) over every record's length and data checksum, in order.
    """

    count: int
    digest: str


def write_records(path: Path, records: Iterable[bytes]) -> int:
    """Write `records` to `path`; returns how many."""
    count = 0
    with path.open("wb") as file:
        for data in records:
            length = struct.pack("<Q", len(data))
            file.write(length + _FOOTER.pack(_masked(length)) + data + _FOOTER.pack(_masked(data)))
            count += 1
    return count


def read_records(path: Path) -> Iterator[bytes]:
    """Every record of `path`, checksums verified.

    Raises:
        DataError: truncated or corrupt; names file, record and offset.
    """
    with _open(path) as file:
        for number, offset, length, checksum in _frames(file, path, skip=False):
            data = file.read(length)
            if _masked(data) != checksum:
                raise _corrupt(path, number, offset, "the checksum of its data does not match")
            file.seek(_FOOTER.size, 1)
            yield data


def read_record(path: Path, offset: int) -> bytes:
    """The record that begins at a byte of `path`, its checksum verified.

    Raises:
        DataError: truncated or corrupt.
    """
    with _open(path) as file:
        file.seek(offset)
        length, _ = _HEADER.unpack(file.read(_HEADER.size).ljust(_HEADER.size, b"\0"))
        data = file.read(min(length, path.stat().st_size))
        if file.read(_FOOTER.size) != _FOOTER.pack(_masked(data)):
            raise DataError(f"{path}: the record at byte {offset} is corrupt; write the file again")
        return data


def record_offsets(path: Path) -> Iterator[int]:
    """Where each record of `path` begins, in bytes.

    Raises:
        DataError: truncated, or no TFRecord.
    """
    with _open(path) as file:
        for _, offset, _, _ in _frames(file, path, skip=True):
            yield offset


def summarize(paths: Iterable[Path]) -> RecordSummary:
    """Count and digest of the records in `paths`, from their framing alone: the data is skipped.

    Raises:
        DataError: a file is missing, empty, truncated, or no TFRecord.
    """
    digest, count = hashlib.sha256(), 0
    for path in paths:
        before = count
        with _open(path) as file:
            for _, _, length, checksum in _frames(file, path, skip=True):
                digest.update(_HEADER.pack(length, checksum))
                count += 1
        if count == before:
            raise DataError(f"{path}: empty; a TFRecord file holds at least one record")
    return RecordSummary(count, digest.hexdigest())


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None


def _frames(file: BinaryIO, path: Path, skip: bool) -> Iterator[tuple[int, int, int, int]]:
    """(number, offset, data length, masked data checksum) of each record; the file stands at the data.

    With `skip` it moves past data and footer itself; without, whoever reads must.
    """
    size = path.stat().st_size
    number = offset = 0
    while offset < size:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise _corrupt(path, number, offset, "the file ends within its header")
        length, checksum = _HEADER.unpack(header)
        if _masked(header[:8]) != checksum:
            raise _corrupt(path, number, offset, "the checksum of its length does not match; is this a TFRecord file?")
        end = offset + _HEADER.size + length + _FOOTER.size
        if end > size:
            raise _corrupt(path, number, offset, "the file ends within its data")
        file.seek(end - _FOOTER.size)
        (data_checksum,) = _FOOTER.unpack(file.read(_FOOTER.size))
        if not skip:
            file.seek(offset + _HEADER.size)
        yield number, offset, length, data_checksum
        number, offset = number + 1, end


def _corrupt(path: Path, number: int, offset: int, what: str) -> DataError:
    return DataError(f"{path}: record {number} at byte {offset} is corrupt: {what}; write the file again")


def _masked(data: bytes) -> int:
    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
