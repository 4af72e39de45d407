"""Storage's addresses: what a gs:// or s3:// URL is, and its parts; minio://, as Kubeflow Pipelines write it, is s3://."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trial_entry.errors import StorageError

GS, S3, MINIO = "gs://", "s3://", "minio://"
_SCHEMES = {GS: GS, S3: S3, MINIO: S3}
GLOB = frozenset("*?[")  # what makes a path a pattern
_NAME_BYTES = 255  # of a file on this machine


def is_remote(path: str) -> bool:
    """Whether `path` lies in a bucket rather than in this machine's file system."""
    return path.startswith(tuple(_SCHEMES))


def scheme_of(url: str) -> str:
    """`gs://` or `s3://`: which kind of bucket it is."""
    return _SCHEMES[_written_scheme(url)]


def parts(url: str) -> tuple[str, str]:
    """Bucket of gs://BUCKET/BEGINNING, and what stands after it, as it stands.

    Raises:
        StorageError: it is no such URL.
    """
    bucket, _, name = url.removeprefix(_written_scheme(url)).partition("/")
    if not bucket:
        raise StorageError(f"{url}: write {_written_scheme(url)}BUCKET/PREFIX")
    return bucket, name


def object_parts(url: str) -> tuple[str, str]:
    """Bucket and name of gs://BUCKET/OBJECT.

    Raises:
        StorageError: it is no such URL.
    """
    bucket, _, name = url.removeprefix(_written_scheme(url)).partition("/")
    if not bucket or not name or name.endswith("/"):
        raise StorageError(f"{url}: write {_written_scheme(url)}BUCKET/OBJECT")
    return bucket, name


def prefix_parts(url: str) -> tuple[str, str]:
    """Bucket of gs://BUCKET/PREFIX, and what the names of all below it begin with: `PREFIX/`, or nothing.

    Raises:
        StorageError: it is no such URL.
    """
    bucket, name = parts(url)
    name = name.rstrip("/")
    return bucket, f"{name}/" if name else ""


def refuse_writing(url: str) -> None:
    """See that single objects can be written there.

    Raises:
        StorageError: it is in an s3:// bucket.
    """
    if scheme_of(url) != GS:
        raise StorageError(
            f"{url}: s3:// is read here, not written; give gs://BUCKET/PREFIX, or a folder of this machine and copy it"
        )


def _written_scheme(url: str) -> str:
    return next((scheme for scheme in _SCHEMES if url.startswith(scheme)), GS)


def check_relative(name: str, where: str) -> None:
    """See that `name` can be a file's below a folder of this machine, and lies nowhere else.

    Raises:
        StorageError: it leads out of the folder, or no file can have it; `where` is what is wrong then.
    """
    parts = name.split("/")
    if {"", ".", ".."}.intersection(parts) or "\0" in name or PurePosixPath(name).is_absolute():
        raise StorageError(f"{where}: no file here can have this name; give the object another")
    if any(len(part.encode()) > _NAME_BYTES for part in parts):
        raise StorageError(f"{where}: a part of this name is longer than {_NAME_BYTES} bytes; give it a shorter one")


@dataclass(frozen=True)
class Remote:
    """An object, or all below a prefix, as a user named it; what a Path is on this machine (which loses a slash of it).

    Attributes:
        url: gs://BUCKET/NAME or s3://BUCKET/NAME.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def parent(self) -> Remote:
        """The prefix that it lies below."""
        return Remote(self.url.rstrip("/").rpartition("/")[0])

    def __truediv__(self, name: str) -> Remote:
        bucket, prefix = prefix_parts(self.url)
        return Remote(f"{_written_scheme(self.url)}{bucket}/{posixpath.normpath(prefix + name)}")


def place_of(text: str) -> Path | Remote:
    """What a user's text names: a place on this machine, or one in a bucket.

    Raises:
        StorageError: gs:// or s3:// without a bucket.
    """
    if not is_remote(text):
        return Path(text)
    prefix_parts(text)
    return Remote(text)
