"""Data's folder of records: what is in it, and how it comes to be there whole."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from boxtune.data.digests import sha256_of
from boxtune.errors import AnnotationsError, InputError
from trial_entry.storage.paths import is_file, local_file

IMPORT, LABEL_MAP, SPLITS = "import.json", "label_map.pbtxt", "splits.csv"
CONFIG, EXPERIMENT = "pipeline.config", "experiment.yaml"
FORMAT = 1  # of import.json
_REPLACED = "replaced"  # in the work folder: the old one, until the new one is there
_WORK = ".importing"  # beside the folder, while it is made


def work_path(out: Path) -> Path:
    """The folder in which `out` is made."""
    out = out.resolve()
    return out.with_name(out.name + _WORK)


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """The folder beside `out` in which it is made; one process at a time has it. It stays until it is published, or
    the data are refused.

    Raises:
        AnnotationsError: it cannot be made, another import has it, or `out` is nothing that an import made.
    """
    _refuse_foreign(out)
    work = work_path(out)
    new = [folder for folder in (work, *work.parents) if not folder.exists()]
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = (work / "lock").open("a")
    except OSError as error:
        raise AnnotationsError(f"{work}: cannot be written: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AnnotationsError(f"{out}: another import is making it") from None
        if (work / _REPLACED).exists() and not out.exists():
            (work / _REPLACED).rename(out.resolve())  # a kill came between the two steps of publishing
        try:
            yield work
        except InputError:
            shutil.rmtree(work, ignore_errors=True)  # nothing to go on with: what was wrong must be mended first
            for folder in new[1:]:
                if not any(folder.iterdir()):
                    folder.rmdir()
            raise


def _refuse_foreign(out: Path) -> None:
    if out.resolve().is_mount():
        raise AnnotationsError(f"{out}: a disk is mounted there; name a folder on it")
    if out.exists() and not out.is_dir():
        raise AnnotationsError(f"{out}: a file; --out names a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / IMPORT).is_file():
        raise AnnotationsError(f"{out}: holds files that no import made; name another folder")


def publish(work: Path, made: Path, out: Path, before: Mapping[str, Any]) -> list[str]:
    """Put the whole folder `made` in the place of `out`, and drop `work`; the names of files that were kept.

    What an earlier import (`before` says which) did not write, or somebody edited since, is kept; of an edited file the
    new one is put beside it.
    """
    out = out.resolve()
    kept = _keep(out, made, before) if out.exists() else []
    for path in (*made.iterdir(), made):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    if out.exists():
        shutil.rmtree(work / _REPLACED, ignore_errors=True)
        out.rename(work / _REPLACED)
    made.rename(out)
    shutil.rmtree(work, ignore_errors=True)
    return kept


def _keep(out: Path, made: Path, before: Mapping[str, Any]) -> list[str]:
    written, configs = before.get("files", {}), before.get("configs", {})
    kept = []
    for path in sorted(out.iterdir()):
        if path.name in written or path.name == IMPORT:
            continue
        new = made / path.name
        if path.is_file() and sha256_of(path) == configs.get(path.name) and new.exists():
            continue  # as it was written
        if new.exists():
            new.rename(new.with_name(f"{new.name}.new"))
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, new)
        kept.append(path.name)
    return kept


def beside(records: Iterable[str], name: str) -> list[Path]:
    """The files of this name in the folders of record files, copied here from buckets.

    Raises:
        DataError: a bucket cannot be read.
    """
    folders = dict.fromkeys(path.rpartition("/")[0] for path in records)
    return [local_file(f"{folder}/{name}") for folder in folders if is_file(f"{folder}/{name}")]


def read_import(out: Path) -> Mapping[str, Any]:
    """What an earlier import wrote about itself; empty where there was none, or where it is damaged."""
    try:
        found = json.loads((out / IMPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("format") == FORMAT else {}


def is_whole(out: Path, about: Mapping[str, Any], newest: float) -> bool:
    """Whether every file that an import wrote is there with its size, and was made after its newest input."""
    try:
        sizes = all((out / name).stat().st_size == size for name, size in about["files"].items())
        configs = all((out / name).is_file() for name in about["configs"])
        return sizes and configs and (out / IMPORT).stat().st_mtime > newest
    except (OSError, KeyError, AttributeError):
        return False


def splits_before(out: Path) -> dict[str, str]:
    """Split by image of an earlier import into the same folder."""
    try:
        with (out / SPLITS).open(encoding="utf-8", newline="") as file:
            return {row["image"]: row["split"] for row in csv.DictReader(file)}
    except (OSError, KeyError, csv.Error, UnicodeDecodeError):
        return {}
