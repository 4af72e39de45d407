"""Delivery's manifest.json: what makes a published version whole, written last; and its check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.digests import sha256_of
from boxtune.errors import InputError
from trial_entry.contract.json_records import from_json, to_json
from trial_entry.errors import RequestError

MANIFEST_FILE = "manifest.json"
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

    def content(self) -> bytes:
        """What manifest.json holds."""
        return (json.dumps(to_json(self), indent=1) + "\n").encode()


def read_manifest(content: bytes, where: str) -> Manifest:
    """Raises InputError where `content` is no manifest; `where` names it."""
    try:
        return from_json(Manifest, json.loads(content), where)
    except (RequestError, ValueError) as wrong:
        raise InputError(f"{where}: no manifest of a published model: {wrong}") from None


def read_claim(content: bytes, where: str) -> Claim:
    """Raises InputError where `content` is no claim; `where` names it."""
    try:
        return from_json(Claim, json.loads(content), where)
    except (RequestError, ValueError) as wrong:
        raise InputError(f"{where}: no claim of a version: {wrong}; name another version") from None


def verify(folder: Path) -> Manifest | None:
    """The manifest of a published version, every file of which is as it was published; None of any other folder.

    Raises:
        InputError: the version is not whole, or was changed since.
    """
    file = folder / MANIFEST_FILE
    if not file.is_file():
        if (folder / CLAIM_FILE).is_file():
            raise InputError(f"{folder}: is not whole: its publishing was cut off; the same boxtune publish goes on")
        return None
    manifest = read_manifest(file.read_bytes(), str(file))
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"{path}: missing, though {MANIFEST_FILE} lists it; fetch the version again")
        if path.stat().st_size != expected.bytes or sha256_of(path) != expected.sha256:
            raise InputError(f"{path}: was changed since it was published; fetch the version again")
    return manifest
