"""`boxtune predict`."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from boxtune.cli.counting import counted
from boxtune.cli.paths import input_images, new_folder, shown
from boxtune.data.importing.tiling import parse_tiling
from boxtune.delivery.exported_model import ExportedModel, open_exported
from boxtune.delivery.predicted import DRAWN_FOLDER, PREDICTIONS_FILE
from boxtune.delivery.predicting import Predictions, PredictOptions
from boxtune.delivery.predicting import predict as predict_images
from boxtune.errors import InputError
from trial_entry.contract.exports import TilingRecord

_WHOLE = "none"
_MOST_CLASSES = 12


def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="an export, a model that has one, or a version")],
    images: Annotated[list[str], typer.Argument(metavar="IMAGES...", help="files, folders, patterns")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="where predictions and drawn images go", parser=new_folder)
    ] = Path("predictions"),
    tile: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="640 or 640x480: cut larger images so; none: do not (as the training data were)"
        ),
    ] = None,
    overlap: Annotated[float, typer.Option(min=0, help="of tiles: a share below 1, else pixels")] = 0.2,
    score_threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="leave out detections below it (the export's, 0.5)")
    ] = None,
    max_detections: Annotated[int, typer.Option(min=0, help="of an image, the surest (0: all)")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="images of one size that are looked at together")] = 8,
    draw: Annotated[bool, typer.Option("--draw/--no-draw", help="draw the images with what was found")] = True,
    strict: Annotated[bool, typer.Option("--strict", help="an image that is none is an error")] = False,
) -> None:
    """Find objects in images: boxes as COCO JSON, and the images drawn with them.

    Images are seen upright, as their EXIF says. Large ones are looked at in tiles where the model was trained on tiles
    (or --tile says so), and what tiles share is found once. predictions.json is a data set with scores; results.json
    is what pycocotools' loadRes takes.

    Example: boxtune predict models/quick-start photos --out predictions
    """
    found = open_exported(model)
    started = time.perf_counter()
    threshold = found.metadata.score_threshold if score_threshold is None else score_threshold
    options = PredictOptions(out, _tiling(found, tile, overlap), threshold, max_detections, batch_size, draw)
    predictions = predict_images(found, input_images(images), options)
    for name, why in predictions.failed.items():
        print(f"note: {name}: {why}", file=sys.stderr)
    _print(predictions, found, options, time.perf_counter() - started)
    if predictions.failed and (strict or not predictions.images):
        failed, first = len(predictions.failed), next(iter(predictions.failed))
        raise InputError(f"{failed} of {failed + len(predictions.images)} images could not be read, {first} first")


def _tiling(model: ExportedModel, tile: str | None, overlap: float) -> TilingRecord | None:
    if tile is None:
        return model.metadata.tiling
    if tile == _WHOLE:
        return None
    asked = parse_tiling(tile, overlap, 1.0)
    return TilingRecord(asked.width, asked.height, asked.overlap)


def _print(predictions: Predictions, model: ExportedModel, options: PredictOptions, seconds: float) -> None:
    boxes = [each for image in predictions.images for each in image.boxes]
    counts = Counter(model.metadata.labels.get(str(each.label), str(each.label)) for each in boxes)
    named = ", ".join(f"{label} {count}" for label, count in counts.most_common(_MOST_CLASSES))
    more = f" and {len(counts) - _MOST_CLASSES} more classes" if len(counts) > _MOST_CLASSES else ""
    seen = len(predictions.images)
    tiles = f" in {predictions.tiles} tiles" if predictions.tiles > seen + len(predictions.failed) else ""
    what = f": {named}{more}" if named else ""
    print(f"{counted(seen, 'image')}{tiles}, {counted(len(boxes), 'object')} from {options.score_threshold:g} on{what}")
    print(f"{seconds:.1f} s, {seen / seconds:.3g} images a second, start and drawing included")
    print(shown(options.out / PREDICTIONS_FILE))
    if options.draw and predictions.images:
        print(shown(options.out / DRAWN_FOLDER))
