"""Data's options: what `boxtune data import` is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from boxtune.data.importing.splitting import Grouping, SplitSpec
from boxtune.data.importing.tiling import Tiling


@dataclass(frozen=True)
class ImportOptions:
    """What to make of what.

    Attributes:
        annotations: a file, a folder, or a pattern of record files.
        out: the folder that is made.
        images: where images lie; None where the format knows.
        format: its name; empty to look.
        split: how images are split; None for what the data come with, or else the usual shares.
        seed: of the split and the order.
        grouping: what stays together.
        keep_together: put near-duplicates into one split.
        tiling: how images are cut; None for whole ones.
        max_side: larger images are shrunk to it; 0 for none.
        label_map: classes and their numbers; None to number them.
        config: a pipeline.config that is to train on the records; written beside them, with an Experiment.
        skip_bad: share of the images, and of the objects, that may be left out because they cannot be used.
        shards: files a split; 0 for as many as its size asks for.
        processes: that work at a time.
        command: what was typed, for import.json.
    """

    annotations: Path
    out: Path
    images: Path | None = None
    format: str = ""
    split: SplitSpec | None = None
    seed: int = 0
    grouping: Grouping = field(default_factory=lambda: Grouping("auto"))
    keep_together: bool = False
    tiling: Tiling | None = None
    max_side: int = 0
    label_map: Path | None = None
    config: Path | None = None
    skip_bad: float = 0.05
    shards: int = 0
    processes: int = 1
    command: Sequence[str] = ()


def asked_split(options: ImportOptions) -> str:
    """What was asked for of the split, as import.json keeps it: another one splits anew."""
    shares = "" if options.split is None else repr(dict(options.split.shares))
    return f"{shares} seed {options.seed} group {options.grouping.text} together {options.keep_together}"
