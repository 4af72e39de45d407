"""`boxtune data import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.data_progress import make_listener
from boxtune.cli.paths import annotations_path, input_file, input_folder, named, output_folder
from boxtune.data.importing.options import ImportOptions
from boxtune.data.importing.passes import import_data
from boxtune.data.importing.splitting import AUTOMATIC, Grouping, parse_split
from boxtune.data.importing.summary import summary, what_next
from boxtune.data.importing.tiling import parse_tiling
from boxtune.data.parallel import cores
from boxtune.errors import InputError

_OVERLAP, _EMPTY = 0.2, 0.1  # of tiles


def data_import(
    annotations: Annotated[
        str,
        typer.Argument(
            metavar="ANNOTATIONS",
            help="COCO, CVAT, Label Studio or LabelMe JSON or XML; a folder of VOC's XML; YOLO's data.yaml or folder; "
            "a CSV; TFRecords",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="the folder that is made; whole, or not at all", parser=output_folder)
    ],
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="where the images lie, if not beside the annotations", parser=input_folder),
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            help="coco, voc, yolo, csv, cvat, labelstudio, labelme or tfrecord; found by looking where it is not said",
        ),
    ] = "",
    split: Annotated[
        str,
        typer.Option(
            metavar="SHARES",
            help="validation=0.2,test=0.1, or none; where it is not said, the data's own split, or those shares",
        ),
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="of the split and of the records' order")] = 0,
    group: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="what stays in one split: an expression on the file's name (its first group, such as '(flight\\d+)'), "
            "column:NAME of a CSV, folder, or none; auto takes numbered images of one name for a film",
        ),
    ] = AUTOMATIC,
    keep_together: Annotated[
        bool, typer.Option("--keep-together", help="put images that are nearly the same into one split")
    ] = False,
    tile: Annotated[
        str, typer.Option(metavar="SIDE", help="cut images into tiles of 640, or 640x480, pixels (of this many)")
    ] = "",
    overlap: Annotated[
        float | None, typer.Option(min=0, help="of neighbouring tiles: a share below 1 (0.2 if not said), or pixels")
    ] = None,
    empty_tiles: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="the share of empty tiles that is kept (0.1 if not said)"),
    ] = None,
    max_side: Annotated[
        int,
        typer.Option(min=0, metavar="PIXELS", help="shrink larger images to this side, for good"),
    ] = 0,
    label_map: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="keep to the classes and numbers of this label map", parser=input_file),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="a pipeline.config to train on the records; put beside them, with a random search around its values",
            parser=input_file,
        ),
    ] = None,
    skip_bad: Annotated[
        str, typer.Option(metavar="N%", help="how many images and objects may be left out because they cannot be used")
    ] = "5%",
    shards: Annotated[int, typer.Option(min=0, help="files a split; as many as its size asks for where it is 0")] = 0,
    processes: Annotated[int, typer.Option(min=0, help="that read images at a time; one a core where it is 0")] = 0,
) -> None:
    """Make TFRecords and a label map of annotated images, whatever tool wrote the annotations.

    Every box and every image is looked at. What its writer can only have meant is repaired, what cannot be a box or an
    image is left out, each time with a line that counts it; what would teach something false is refused. The folder
    holds train-00000-of-…, validation-…, test-…, label_map.pbtxt, splits.csv and import.json, which keeps what was
    read, left out and repaired.

    \b
    Examples:
        boxtune data import instances.json --images photos --out data
        boxtune data import VOCdevkit/VOC2012 --out data
        boxtune data import dataset/data.yaml --out data
        boxtune data import labels.csv --images frames --out data --group '(flight\\d+)' --tile 640
    """
    if tile and max_side:
        raise InputError("--tile and --max-side: give one of them")
    if not tile and (overlap is not None or empty_tiles is not None):
        raise InputError("--overlap and --empty-tiles: of tiles; give --tile SIDE too")
    cut = None
    if tile:
        sparse = _EMPTY if empty_tiles is None else empty_tiles
        cut = parse_tiling(tile, _OVERLAP if overlap is None else overlap, sparse)
    options = ImportOptions(
        annotations=annotations_path(annotations, with_images=images is None),
        out=out,
        images=images,
        format=format_,
        split=parse_split(split, seed) if split else None,
        seed=seed,
        grouping=Grouping(group),
        keep_together=keep_together,
        tiling=cut,
        max_side=max_side,
        label_map=label_map,
        config=config,
        skip_bad=_share(skip_bad),
        shards=shards,
        processes=processes or cores(),
        command=_command(sys.argv),
    )
    with make_listener() as listener:
        imported = import_data(options, listener)
    for line in (*summary(imported, options), *what_next(options)):
        print(named(line))


def _share(text: str) -> float:
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise InputError(f'--skip-bad "{text}": write a percentage, such as 5%')
    return share


def _command(arguments: list[str]) -> tuple[str, ...]:
    """What was typed, without where the folder lies and what computed it: neither changes what is in it."""
    kept, skip = ["boxtune"], False
    for argument in arguments[1:]:
        name = argument.partition("=")[0]
        if not skip and name not in ("--out", "--processes"):
            kept.append(argument)
        skip = not skip and name in ("--out", "--processes") and "=" not in argument
    return tuple(kept)
