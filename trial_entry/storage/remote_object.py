"""Storage's remote object: what a bucket's listing says of one object, whichever kind of bucket it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

NEW = 0  # the generation of what is not there


@dataclass(frozen=True)
class RemoteObject:
    """One generation of an object.

    Attributes:
        scheme, bucket, name: where it lies; the scheme is `gs://` or `s3://`.
        generation: which one it is, of a gs:// object; 0 of others.
        size: in bytes.
        crc32c: its checksum, base 64; empty where the server keeps none.
        updated: by the server's clock.
        packed: whether it is stored compressed and comes unpacked, so that size and checksum are not those of a copy.
        etag: which one it is, of an s3:// object; empty of others.
    """

    scheme: str
    bucket: str
    name: str
    generation: int
    size: int
    crc32c: str
    updated: datetime | None = field(default=None, compare=False)
    packed: bool = False
    etag: str = ""

    @property
    def url(self) -> str:
        """gs://BUCKET/OBJECT or s3://BUCKET/OBJECT."""
        return f"{self.scheme}{self.bucket}/{self.name}"

    @property
    def file_name(self) -> str:
        """The last part of its name."""
        return PurePosixPath(self.name).name

    @property
    def version(self) -> str:
        """Tells one content of the same name from another."""
        return self.etag or str(self.generation)

    @property
    def content(self) -> tuple[int, str]:
        """Equal for objects that hold the same bytes, as far as a bucket tells."""
        return self.size, self.etag or self.crc32c
