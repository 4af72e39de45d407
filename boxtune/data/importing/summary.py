"""Data's import in a few lines: what was left out, what is there; and what the command says comes next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from boxtune.data.findings import counted
from boxtune.data.importing.options import ImportOptions
from boxtune.data.importing.writing import Imported
from boxtune.data.published import CONFIG, EXPERIMENT, IMPORT

_MOST_PLACES = 5  # in a line; import.json has the first thousand
_MOST_CLASSES = 12


def summary(imported: Imported, options: ImportOptions) -> Iterator[str]:
    """The lines, in order."""
    for each in imported.findings:
        yield f"{each.what}: {each.sentence(_MOST_PLACES)}"
    about = imported.about
    for split, found in about["splits"].items():
        objects: dict[str, int] = found["objects"]
        images, records = found["images"], found["records"]
        tiles = f" in {records} {counted('tile', records)}" if options.tiling is not None else ""
        names = ", ".join(f"{name} {count}" for name, count in list(objects.items())[:_MOST_CLASSES])
        more = f" and {len(objects) - _MOST_CLASSES} more classes" if len(objects) > _MOST_CLASSES else ""
        total = sum(objects.values())
        yield f"{split}: {images} {counted('image', images)}{tiles}, {total} {counted('object', total)} ({names}{more})"
    read = about["annotations"]
    same = "nothing changed: " if imported.unchanged else ""
    for name in imported.kept:
        new = f", the new one is {name}.new" if (options.out / f"{name}.new").exists() else ""
        yield f"kept: {name}, which was not written by an import, or was edited{new}"
    classes = len(about["classes"])
    yield f"{same}{options.out}: {read['format']}, {classes} {counted('class', classes)}; all of it in {IMPORT}"


def what_next(options: ImportOptions) -> Iterator[str]:
    """Commands for the folder that was made; of no use where a pipeline goes on by itself."""
    out = shlex.quote(str(options.out))
    if options.config is not None:
        experiment = shlex.quote(str(options.out / EXPERIMENT))
        config = shlex.quote(str(options.out / CONFIG))
        yield f"next: boxtune data check {out} --config {config}; boxtune data show {out}"
        yield f"then: boxtune check {experiment} --volume data={out} --build, and boxtune run {experiment} likewise"
    else:
        yield f"next: boxtune data check {out}; boxtune data show {out}"
