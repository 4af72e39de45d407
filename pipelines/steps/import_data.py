"""The step that makes records of annotated images, as `boxtune data import` does."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from boxtune.data.importing.options import ImportOptions
from boxtune.data.importing.passes import import_data as make_records
from boxtune.data.importing.progress_lines import LineListener
from boxtune.data.importing.splitting import AUTOMATIC, Grouping, parse_split
from boxtune.data.importing.summary import summary
from boxtune.data.importing.tiling import parse_tiling
from boxtune.data.parallel import cores
from boxtune.data.published import EXPERIMENT, work_path
from boxtune.delivery.asking import request_errors
from boxtune.errors import InputError
from pipelines.steps.datasets import place_folder
from pipelines.steps.given import Changes, place_digest, prepared
from pipelines.steps.stores import opened
from pipelines.steps.values import Values
from trial_entry.storage.buckets import local_beside
from trial_entry.storage.paths import is_file, local_file
from trial_entry.storage.urls import is_remote

_OVERLAP, _EMPTY = 0.2, 0.1  # of tiles, as the command has them


@dataclass(frozen=True)
class ImportAsked:
    """What records are to be made of, and how.

    Attributes:
        annotations, images: a path or a URL; images empty where they lie beside the annotations.
        config: the text of the pipeline.config that is to train on them.
        experiment: what is to be searched, prepared; empty for the Experiment that the import writes.
        format: of the annotations; empty to find it by looking.
        split, group: as the command has them.
        tile: the side of tiles; 0 for whole images.
        seed: of the split.
        changes: of the Experiment that the import writes.
    """

    annotations: str
    images: str
    config: str
    experiment: str = ""
    format: str = ""
    split: str = ""
    group: str = AUTOMATIC
    tile: int = 0
    seed: int = 0
    changes: Changes = Changes()  # noqa: RUF009 (frozen)


def import_data(asked: ImportAsked, out: Path, about: dict[str, object], metrics: Values) -> str:
    """Make the folder `out`; returns the Experiment that is to be searched on it.

    Args:
        about: takes what the Dataset artifact says of itself.
        metrics: takes images and objects of each split.

    Raises:
        AnnotationsError: the data cannot be used as they stand.
        InputError: a place cannot be read, a value cannot be, or the config is none.
    """
    if asked.tile < 0:
        raise InputError(f"tile {asked.tile}: must be the side of tiles in pixels, or 0 for whole images")
    options = ImportOptions(
        annotations=_annotations(asked),
        out=out,
        images=place_folder(asked.images) if asked.images else None,
        format=asked.format,
        split=parse_split(asked.split, asked.seed, "shares") if asked.split else None,
        seed=asked.seed,
        grouping=Grouping(asked.group, "group"),
        tiling=parse_tiling(str(asked.tile), _OVERLAP, _EMPTY) if asked.tile else None,
        config=_config(asked.config),
        processes=cores(),
        command=("boxtune", "pipeline", asked.annotations),
    )
    try:
        imported = make_records(options, LineListener(Console(highlight=False)))
    except BaseException:
        shutil.rmtree(work_path(out), ignore_errors=True)  # the next try has a folder of its own
        raise
    for line in summary(imported, options):
        print(line)
    about["sha256"] = place_digest(str(out))
    for split, found in imported.about["splits"].items():
        metrics.keep({f"{split}_images": found["images"], f"{split}_objects": sum(found["objects"].values())})
    if asked.experiment:
        return asked.experiment
    return prepared(out / EXPERIMENT, asked.changes)


def _annotations(asked: ImportAsked) -> Path:
    place = asked.annotations
    if not is_remote(place):
        return Path(place)
    with request_errors():
        if place.endswith("/") or not is_file(opened(place)):
            return place_folder(place)
        return local_file(place) if asked.images else local_beside(place, lambda name, size: True)


def _config(text: str) -> Path:
    file = Path(tempfile.mkdtemp(prefix="boxtune-step-")) / "pipeline.config"
    file.write_text(text, encoding="utf-8")
    return file
