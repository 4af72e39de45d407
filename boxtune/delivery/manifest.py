"""Delivery's manifest.json: what makes a published version whole, written last; and its check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.digests import sha256_of
from boxtune.delivery.record_files import parse_record
from boxtune.errors import InputError

MANIFEST_FILE = "manifest.json"
A_MANIFEST = "the manifest of a published model"
CLAIM_FILE = "claim.json"  # the first file of a version: whose it is, from before it is whole


@dataclass(frozen=True)
class FileRecord:
    """One file of a version.

    Attributes:
        sha256: hexadecimal.
        bytes: its size.
    """

    sha256: str
    bytes: int

    @classmethod
    def of(cls, path: Path) -> FileRecord:
        """Raises OSError where it cannot be read."""
        return cls(sha256_of(path), path.stat().st_size)


@dataclass(frozen=True)
class Claim:
    """claim.json: what is being published as this version.

    Attributes:
        digest: of the model's own files.
        created: RFC 3339.
    """

    digest: str
    created: str


@dataclass(frozen=True)
class Manifest:
    """manifest.json.

    Attributes:
        name, version: of the model.
        created: RFC 3339.
        digest: of the model's own files: equal ones are one model.
        files: of the version, by relative name.
        boxtune: the version that published it.
    """

    name: str
    version: str
    created: str
    digest: str
    files: Mapping[str, FileRecord]
    boxtune: str


def verify(folder: Path) -> Manifest | None:
    """The manifest of a published version, every file of which is as it was published; None of any other folder.

    Raises:
        InputError: the version is not whole, or was changed since.
    """
    file = folder / MANIFEST_FILE
    if not file.is_file():
        if (folder / CLAIM_FILE).is_file():
            raise InputError(f"{folder}: is not whole: its publishing was cut off; publish the same model again")
        return None
    manifest = parse_record(Manifest, file.read_bytes(), str(file), A_MANIFEST)
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"{path}: missing, though {MANIFEST_FILE} lists it; fetch the version again")
        if path.stat().st_size != expected.bytes or sha256_of(path) != expected.sha256:
            raise InputError(f"{path}: was changed since it was published; fetch the version again")
    return manifest
