"""Data's folder of records: what is in it, and how it comes to be there whole."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from boxtune.errors import AnnotationsError, InputError

IMPORT, LABEL_MAP, SPLITS = "import.json", "label_map.pbtxt", "splits.csv"
FORMAT = 1  # of import.json
_WORK = ".importing"  # beside the folder, while it is made


def work_path(out: Path) -> Path:
    """The folder in which `out` is made."""
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
        try:
            yield work
        except InputError:
            shutil.rmtree(work, ignore_errors=True)  # nothing to go on with: what was wrong must be mended first
            raise


def _refuse_foreign(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise AnnotationsError(f"{out}: a file; --out names a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / IMPORT).is_file():
        raise AnnotationsError(f"{out}: holds files that no import made; name another folder")


def publish(work: Path, made: Path, out: Path) -> None:
    """Put the whole folder `made` in the place of `out`, and drop `work`."""
    for path in (*made.iterdir(), made):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    if out.exists():
        out.rename(work / "replaced")
    made.rename(out)
    shutil.rmtree(work, ignore_errors=True)


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
        return sizes and (out / IMPORT).stat().st_mtime > newest
    except (OSError, KeyError, AttributeError):
        return False


def splits_before(out: Path) -> dict[str, str]:
    """Split by image of an earlier import into the same folder."""
    try:
        with (out / SPLITS).open(encoding="utf-8", newline="") as file:
            return {row["image"]: row["split"] for row in csv.DictReader(file)}
    except (OSError, KeyError, csv.Error, UnicodeDecodeError):
        return {}
