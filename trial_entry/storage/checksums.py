"""Storage's checksums: CRC32C, in base 64, as Cloud Storage keeps of every object; MD5, as S3's ETags have it.

An ETag is the MD5 of the content, or, where it was sent in N parts, that of the parts' MD5s, a hyphen and N. How large
the parts were is not said: 8 MiB by AWS's programs and here, 5 MiB by Kubeflow Pipelines.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from threading import Event
from typing import IO, Protocol

import google_crc32c

from trial_entry.errors import StorageError

PART_BYTES = 8 * 1024 * 1024  # of an upload to S3
_PARTS = (PART_BYTES, 5 * 1024 * 1024)
_PIECE = 1024 * 1024
_MD5 = re.compile(r"[0-9a-f]{32}")
_IN_PARTS = re.compile(r"[0-9a-f]{32}-(\d+)")


def crc32c_of_bytes(content: bytes) -> str:
    """The checksum of `content`."""
    return _text(google_crc32c.Checksum(content))


def crc32c_of_file(file: Path, size: int | None = None) -> str:
    """The checksum of a file, or of its first `size` bytes.

    Raises:
        OSError: the file cannot be read.
    """
    checksum, left = google_crc32c.Checksum(), size
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE if left is None else min(_PIECE, left)):
            checksum.update(piece)
            if left is not None:
                left -= len(piece)
    return _text(checksum)


def is_plain_md5(etag: str) -> bool:
    """Whether an ETag looks like the MD5 of a content that was sent in one piece."""
    return bool(_MD5.fullmatch(etag))


def has_etag(file: Path, etag: str) -> bool:
    """Whether a file's content is known to be what this ETag is of; False too where that cannot be told.

    Raises:
        OSError: the file cannot be read.
    """
    if is_plain_md5(etag):
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, _md5).hexdigest() == etag
    found, size = _IN_PARTS.fullmatch(etag), file.stat().st_size
    likely = [part for part in _PARTS if found and -(-size // part) == int(found[1])]
    return any(_etag_in_parts(file, part) == etag for part in likely)


def _etag_in_parts(file: Path, size: int) -> str:
    with file.open("rb") as opened:
        digests = [_md5(part).digest() for part in iter(lambda: opened.read(size), b"")]
    return f"{_md5(b''.join(digests)).hexdigest()}-{len(digests)}"


def _md5(content: bytes = b"") -> hashlib._Hash:
    return hashlib.md5(content, usedforsecurity=False)


class _Checksum(Protocol):
    """What libraries make checksums by."""

    def update(self, piece: bytes) -> object: ...
    def digest(self) -> bytes: ...


class _Writer:
    """Writes to an open file and keeps a checksum of what was written; it only goes forward.

    Attributes:
        size: bytes written.
    """

    def __init__(self, opened: IO[bytes], given_up: Event | None, checksum: _Checksum) -> None:
        self._opened = opened
        self._given_up = given_up
        self._checksum = checksum
        self.size = 0

    def write(self, piece: bytes) -> int:
        """Add `piece`; returns its length.

        Raises:
            StorageError: nobody wants it any more.
        """
        if self._given_up is not None and self._given_up.is_set():
            raise StorageError("given up")
        self._opened.write(piece)
        self._checksum.update(piece)
        self.size += len(piece)
        return len(piece)

    def flush(self) -> None:
        """As of a file."""
        self._opened.flush()

    def tell(self) -> int:
        """As of a file."""
        return self.size


class CheckedWriter(_Writer):
    """Keeps the CRC32C of what was written."""

    def __init__(self, opened: IO[bytes], given_up: Event | None = None) -> None:
        """
        Args:
            given_up: when it is set, nothing can be written any more.
        """
        super().__init__(opened, given_up, google_crc32c.Checksum())

    @property
    def crc32c(self) -> str:
        """Of all that was written."""
        return _text(self._checksum)


class Md5Writer(_Writer):
    """Keeps the MD5 of what was written."""

    def __init__(self, opened: IO[bytes], given_up: Event | None = None) -> None:
        """
        Args:
            given_up: as of CheckedWriter.
        """
        super().__init__(opened, given_up, _md5())

    @property
    def md5(self) -> str:
        """Of all that was written, as ETags write it."""
        return self._checksum.digest().hex()


def _text(checksum: _Checksum) -> str:
    return base64.b64encode(checksum.digest()).decode()
