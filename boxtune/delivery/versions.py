"""Delivery's versions of a model in a folder or a bucket: which is free, whose is which, which are whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from boxtune.delivery.manifest import A_MANIFEST, CLAIM_FILE, MANIFEST_FILE, Claim, Manifest, verify
from boxtune.delivery.record_files import now, parse_record, record_content
from boxtune.errors import InputError
from trial_entry.storage.store import Store
from trial_entry.storage.urls import is_remote

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def choose_version(store: Store, asked: str | None, digest: str) -> tuple[str, Manifest | None]:
    """The version to publish as; with its manifest where the same model is published as it already.

    Args:
        asked: the version that somebody named; None for the next number.
        digest: of the model's own files.

    Raises:
        InputError: the version that was asked for is another model's, or holds other files.
    """
    names = store.names()
    manifests = dict(_manifests(store, names))
    if asked is not None:
        return _asked(store, names, manifests, asked, digest)
    for version, manifest in sorted(manifests.items()):
        if manifest.digest == digest:
            return version, manifest
    number = 1
    while not _is_free(store, names, str(number), digest):
        number += 1
    return str(number), None


def claimed(store: Store, version: str, digest: str) -> Claim:
    """The version's claim, made now or before by a publishing of the same model that was cut off.

    Raises:
        InputError: another model's publisher was quicker.
    """
    claim = Claim(digest, now())
    if store.write_new(f"{version}/{CLAIM_FILE}", record_content(claim)):
        return claim
    found = _claim(store, version)
    if found is None or found.digest != digest:
        raise InputError(f"{store.place}/{version}: another model is being published as it; give the command again")
    return found


def refuse_damaged(place: str, store: Store, version: str, manifest: Manifest) -> None:
    """Raises InputError where a version is not as it was published; of one in a bucket, where a file is missing."""
    if not is_remote(place):
        verify(Path(place))
        return
    names = set(store.names())
    missing = next((name for name in manifest.files if f"{version}/{name}" not in names), None)
    if missing is not None:
        raise InputError(f"{place}/{missing}: missing, though {MANIFEST_FILE} lists it; publish under another version")


def version_manifest(store: Store, version: str) -> Manifest:
    """The manifest of a version that is whole.

    Raises:
        InputError: there is none.
    """
    where = f"{store.place}/{version}/{MANIFEST_FILE}"
    return parse_record(Manifest, store.read(f"{version}/{MANIFEST_FILE}") or b"", where, A_MANIFEST)


def _manifests(store: Store, names: Sequence[str]) -> Iterator[tuple[str, Manifest]]:
    """Every published version; a manifest.json of other programs is none."""
    for name in names:
        version, _, rest = name.partition("/")
        if rest == MANIFEST_FILE:
            with suppress(InputError):
                yield version, version_manifest(store, version)


def _asked(
    store: Store, names: Sequence[str], manifests: Mapping[str, Manifest], version: str, digest: str
) -> tuple[str, Manifest | None]:
    place = f"{store.place}/{version}"
    if _VERSION.fullmatch(version) is None:
        raise InputError(f'--version "{version}": a name of letters, digits, ".", "-" and "_", such as 3 or v1.2')
    manifest = manifests.get(version)
    if manifest is not None and manifest.digest != digest:
        raise InputError(
            f"{place}: exists (published {manifest.created}), and a version is never overwritten; name another with "
            "--version, or none for the next number"
        )
    if manifest is None and not _is_free(store, names, version, digest):
        what = "another model is being published as it" if f"{version}/{CLAIM_FILE}" in names else "holds other files"
        raise InputError(f"{place}: {what}; name another with --version")
    return version, manifest


def _is_free(store: Store, names: Sequence[str], version: str, digest: str) -> bool:
    """Whether nothing is there, or what an earlier publishing of the same model left."""
    if not any(name == version or name.startswith(f"{version}/") for name in names):
        return True
    if f"{version}/{MANIFEST_FILE}" in names or f"{version}/{CLAIM_FILE}" not in names:
        return False
    claim = _claim(store, version)
    return claim is not None and claim.digest == digest


def _claim(store: Store, version: str) -> Claim | None:
    content = store.read(f"{version}/{CLAIM_FILE}")
    where = f"{store.place}/{version}/{CLAIM_FILE}"
    return None if content is None else parse_record(Claim, content, where, "the claim of a version")
