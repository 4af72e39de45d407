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

from trial_entry.errors import CorruptRecord, DataError
from trial_entry.file_kind import HEAD_BYTES, FileKind, kind_of

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


@dataclass(frozen=True)
class Span:
    """Records that follow each other in one file.

    Attributes:
        path: the file.
        number: of the first record, from 0.
        offset: where it begins, in bytes.
        count: how many; None for all to the end.
    """

    path: Path
    number: int = 0
    offset: int = 0
    count: int | None = None


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
    for _, data in read_span(Span(path)):
        if isinstance(data, CorruptRecord):
            raise data
        yield data


def read_span(span: Span) -> Iterator[tuple[int, bytes | CorruptRecord]]:
    """Number and data of every record of `span`, or what is wrong with it.

    After data that changed the next record is read; after a length that changed there is no telling where it begins.

    Raises:
        DataError: the file cannot be opened.
    """
    with _open(span.path) as file:
        size, number, offset = span.path.stat().st_size, span.number, span.offset
        file.seek(offset)
        while offset < size and (span.count is None or number < span.number + span.count):
            try:
                length, _ = _header(file, span.path, number, offset, size)
            except CorruptRecord as corrupt:
                yield number, corrupt
                return
            data = file.read(length + _FOOTER.size)
            (checksum,) = _FOOTER.unpack_from(data, length)
            data = data[:length]
            if _masked(data) != checksum:
                yield number, _corrupt(span.path, number, offset, "the checksum of its data does not match")
            else:
                yield number, data
            number, offset = number + 1, offset + _HEADER.size + length + _FOOTER.size


def spans(path: Path, records: int) -> Iterator[Span]:
    """The file in spans of at most `records` records each, from its framing alone.

    The last goes to the end, where whatever is wrong with the framing is met by who reads it.

    Raises:
        DataError: the file cannot be opened.
    """
    first = Span(path)
    try:
        with _open(path) as file:
            for number, offset, _, _ in _frames(file, path):
                if number - first.number == records:
                    yield Span(path, first.number, first.offset, records)
                    first = Span(path, number, offset)
    except CorruptRecord:
        pass
    yield first


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
        for _, offset, _, _ in _frames(file, path):
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
            for _, _, length, checksum in _frames(file, path):
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


def _frames(file: BinaryIO, path: Path) -> Iterator[tuple[int, int, int, int]]:
    """(number, offset, data length, masked data checksum) of each record; the data is skipped."""
    size = path.stat().st_size
    number = offset = 0
    while offset < size:
        length, _ = _header(file, path, number, offset, size)
        end = offset + _HEADER.size + length + _FOOTER.size
        file.seek(end - _FOOTER.size)
        (checksum,) = _FOOTER.unpack(file.read(_FOOTER.size))
        yield number, offset, length, checksum
        number, offset = number + 1, end


def _header(file: BinaryIO, path: Path, number: int, offset: int, size: int) -> tuple[int, int]:
    """Data length and its masked checksum, of the record at which `file` stands; it is whole."""
    header = file.read(_HEADER.size)
    if offset == 0 and (kind := _other_kind(header, file)) is not None:
        right = kind.right or "a record file is a TFRecord, which boxtune data import writes"
        raise CorruptRecord(str(path), number, f"the file is {kind.name}, no TFRecord", right)
    if len(header) < _HEADER.size:
        raise _corrupt(path, number, offset, "the file ends within its header")
    length, checksum = _HEADER.unpack(header)
    if _masked(header[:8]) != checksum:
        raise _corrupt(path, number, offset, "the checksum of its length does not match; is this a TFRecord file?")
    if offset + _HEADER.size + length + _FOOTER.size > size:
        raise _corrupt(path, number, offset, "the file ends within its data")
    return length, checksum


def _other_kind(header: bytes, file: BinaryIO) -> FileKind | None:
    """What a file is instead of a TFRecord, at whose beginning `file` stood before its header was read."""
    length = header[:8]
    if len(header) == _HEADER.size and _FOOTER.pack(_masked(length)) == header[8:]:
        return None
    head = header + file.read(HEAD_BYTES - len(header))
    return kind_of(head) or (FileKind("a text") if _is_text(head) else None)


def _is_text(head: bytes) -> bool:
    """Whether these are the first bytes of a text in ASCII: a label map, a list of paths, JSON."""
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)  # noqa: PLR2004 (printable)


def _corrupt(path: Path, number: int, offset: int, what: str) -> CorruptRecord:
    return CorruptRecord(str(path), number, f"is corrupt at byte {offset}: {what}", "write the file again")


def _masked(data: bytes) -> int:
    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
