"""Delivery's exported models: which folder has the SavedModel that a user means, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxtune.delivery.asking import request_errors
from boxtune.delivery.manifest import MANIFEST_FILE, verify
from boxtune.delivery.model import open_model
from boxtune.errors import InputError
from trial_entry.contract.exports import FORMATS, SAVED_MODEL, ExportMetadata, read_metadata
from trial_entry.contract.files import EXPORT_FILE, EXPORT_FOLDER
from trial_entry.storage.paths import local_folder


@dataclass(frozen=True)
class ExportedModel:
    """A SavedModel with what its export said of it.

    Attributes:
        place: as whoever named it wrote it.
        saved_model: the folder.
        metadata: of it.
    """

    place: str
    saved_model: Path
    metadata: ExportMetadata


def open_exported(place: str) -> ExportedModel:
    """The export that `place` is or has: what `boxtune export` wrote, a model that was exported, a published version.

    Raises:
        InputError: there is none, the message says what makes one; or a published version was changed since.
    """
    with request_errors():
        folder = local_folder(place)
        if not folder.is_dir():
            raise InputError(f"{place}: no such folder; name a model that boxtune export has exported")
        found = next((each for each in (folder, folder / EXPORT_FOLDER) if _has_saved_model(each)), None)
        if found is None and (folder / EXPORT_FILE).is_file():
            raise InputError(f"{place}: has no {FORMATS[SAVED_MODEL]}, which predict needs; export that format too")
        versions = sorted(each.parent.name for each in folder.glob(f"*/{MANIFEST_FILE}"))
        if found is None and versions:
            raise InputError(f"{place}: has the versions {', '.join(versions)}; name one of them")
        if found is None:
            found = open_model(str(folder)).folder / EXPORT_FOLDER  # of several seeds, the chosen one's
        if not _has_saved_model(found):
            raise InputError(f"{place}: has no exported {FORMATS[SAVED_MODEL]}; boxtune export {place} makes it")
        verify(found)
        return ExportedModel(place, found / FORMATS[SAVED_MODEL], read_metadata(found))


def _has_saved_model(folder: Path) -> bool:
    return (folder / FORMATS[SAVED_MODEL] / "saved_model.pb").is_file()
