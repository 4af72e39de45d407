"""Storage's checksums: CRC32C, in base 64, as Cloud Storage keeps of every object."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import IO

import google_crc32c

_PIECE = 1024 * 1024


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


class CheckedWriter:
    """Writes to an open file and keeps the checksum of what was written; it only goes forward.

    Attributes:
        size: bytes written.
    """

    def __init__(self, opened: IO[bytes]) -> None:
        self._opened = opened
        self._checksum = google_crc32c.Checksum()
        self.size = 0

    def write(self, piece: bytes) -> int:
        """Add `piece`; returns its length."""
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

    @property
    def crc32c(self) -> str:
        """Of all that was written."""
        return _text(self._checksum)


def _text(checksum: google_crc32c.Checksum) -> str:
    return base64.b64encode(checksum.digest()).decode()
