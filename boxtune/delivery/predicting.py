"""Delivery's predictions: an exported model looks at images, large ones in tiles, by `python -m trial_entry detect`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np

from boxtune.data.image_folder import ImageFolder
from boxtune.data.importing.tiling import Tiling
from boxtune.data.parallel import cores, in_parallel
from boxtune.delivery.asking import ask, request_errors, to_standard_error
from boxtune.delivery.exported_model import ExportedModel
from boxtune.delivery.predicted import DRAWN_FOLDER, PredictedBox, PredictedImage, draw_predictions, write_predictions
from boxtune.errors import InputError
from trial_entry.contract.detecting import DetectedImage, WantedImage, read_detected, write_lines
from trial_entry.contract.export_requests import DetectRequest
from trial_entry.contract.exports import TilingRecord
from trial_entry.images.pixels import Size, Undecodable
from trial_entry.images.reading import size_as_seen
from trial_entry.measuring.tile_merging import TileDetections, merge_tiles
from trial_entry.storage.paths import is_pattern, matching

_DIGITS = 2  # of a pixel
_MANY = 16  # images, from which on drawing is worth several processes


@dataclass(frozen=True)
class PredictOptions:
    """How images are looked at.

    Attributes:
        out: the folder to write into.
        tiling: of images larger than a tile; None for whole images.
        score_threshold: below it a detection is left out.
        max_detections: of an image, the surest; 0 for all.
        batch_size: images or tiles that are looked at together.
        draw: whether images are drawn.
    """

    out: Path
    tiling: TilingRecord | None
    score_threshold: float
    max_detections: int = 0
    batch_size: int = 8
    draw: bool = True


@dataclass(frozen=True)
class Predictions:
    """What was found.

    Attributes:
        images: in their order.
        failed: why, by the name of an image that could not be read.
        tiles: how many images or tiles were looked at.
    """

    images: Sequence[PredictedImage]
    failed: Mapping[str, str]
    tiles: int


def predict(
    model: ExportedModel, named: Sequence[str], options: PredictOptions, say: Callable[[str], None] = to_standard_error
) -> Predictions:
    """Look at images, and write what is in them: as COCO's files have it, and drawn.

    Args:
        named: files, folders and patterns of this machine.
        say: is told what happens, a line at a time.

    Raises:
        InputError: a name stands for nothing, or the folder cannot be written.
    """
    drawn = options.out.absolute() / DRAWN_FOLDER
    files = [file for file in images_of(named) if not file.absolute().is_relative_to(drawn)]
    names = _names(files)
    wanted, failed = _wanted(names, options.tiling)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        images = []
        for file, parts in groupby(_detected(model, wanted, options, say), key=lambda each: each.file):
            image = _image(Path(file), names[Path(file)], list(parts), options, failed)
            if image is not None:
                images.append(image)
        info = {"description": f"found by {model.place}", "score_threshold": options.score_threshold}
        write_predictions(options.out, images, model.metadata.labels, info)
        shutil.rmtree(drawn, ignore_errors=True)  # of an earlier look
        if options.draw:
            say(f"drawing {len(images)} images")
            drawing = partial(draw_predictions, options.out / DRAWN_FOLDER, labels=model.metadata.labels)
            for _ in in_parallel(drawing, images, cores() if len(images) >= _MANY else 1, 1):
                pass
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"{error.filename or options.out}: cannot be written: {why}; name another --out") from None
    return Predictions(images, failed, len(wanted))


def images_of(named: Sequence[str]) -> list[Path]:
    """The image files that names stand for, each once: files, all images of a folder and those below it, patterns.

    Raises:
        InputError: a name stands for no image.
    """
    with request_errors():
        return list(dict.fromkeys(file for name in named for file in _files(name)))


def _files(name: str) -> Iterator[Path]:
    folder = Path(name)
    if is_pattern(name) and not folder.exists():
        found = matching(name)
        if not found:
            raise InputError(f"{name}: no file matches")
        yield from map(Path, found)
    elif folder.is_file():
        yield folder
    else:
        if not folder.is_dir():
            raise InputError(f"{name}: no such image or folder")
        files = ImageFolder(folder).files
        if not files:
            raise InputError(f"{name}: no image in this folder")
        yield from (folder / file for file in files)


def _names(files: Sequence[Path]) -> dict[Path, str]:
    """What each file is called: its path from the folder that all have in common."""
    absolute = {file: Path(os.path.abspath(file)) for file in files}  # noqa: PTH100 (a link keeps its own name)
    common = os.path.commonpath([each.parent for each in absolute.values()])
    return {file: each.relative_to(common).as_posix() for file, each in absolute.items()}


def _wanted(names: Mapping[Path, str], tiling: TilingRecord | None) -> tuple[list[WantedImage], dict[str, str]]:
    """What to look at, and why not at others."""
    wanted: list[WantedImage] = []
    failed: dict[str, str] = {}
    for file, name in names.items():
        try:
            size = size_as_seen(file)
        except Undecodable as wrong:
            failed[name] = str(wrong)
            continue
        windows = Tiling(tiling.width, tiling.height, tiling.overlap, 1.0).windows(size) if tiling else []
        if len(windows) > 1:
            wanted += [WantedImage(str(file), window) for window in windows]
        else:
            wanted.append(WantedImage(str(file)))
    return wanted, failed


def _detected(
    model: ExportedModel, wanted: Sequence[WantedImage], options: PredictOptions, say: Callable[[str], None]
) -> Iterator[DetectedImage]:
    if not wanted:
        return
    with tempfile.TemporaryDirectory() as folder, request_errors():
        asked, answered = Path(folder, "wanted.jsonl"), Path(folder, "found.jsonl")
        write_lines(asked, wanted)
        request = DetectRequest(
            saved_model=model.saved_model,
            images=asked,
            output=answered,
            score_threshold=options.score_threshold,
            batch_size=options.batch_size,
        )
        ask(request, say)
        yield from read_detected(answered)


def _image(
    file: Path, name: str, parts: Sequence[DetectedImage], options: PredictOptions, failed: dict[str, str]
) -> PredictedImage | None:
    """One image of its parts; None, and its name among those that failed, where one of them could not be read."""
    wrong = next((each.error for each in parts if each.error is not None), None)
    if wrong is not None:
        failed[name] = wrong
        return None
    size = (parts[0].width, parts[0].height)
    boxes = _whole(parts[0]) if parts[0].window is None else _merged(parts, size)
    most = options.max_detections or len(boxes)
    return PredictedImage(file, name, *size, boxes[:most])


def _whole(found: DetectedImage) -> list[PredictedBox]:
    return [
        PredictedBox(label, (box[0], box[1], box[2], box[3]), score)
        for box, label, score in zip(found.boxes, found.classes, found.scores, strict=True)
    ]


def _merged(parts: Sequence[DetectedImage], size: Size) -> list[PredictedBox]:
    tiles = []
    for each in parts:
        window = each.window or (0, 0, *size)
        boxes = np.array(each.boxes, np.float64).reshape(-1, 4)
        boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
        at = (window[0], window[1], window[2], window[3])
        tiles.append(TileDetections(at, boxes, np.array(each.classes, np.int64), np.array(each.scores, np.float64)))
    merged = merge_tiles(tiles, size)
    sides = np.concatenate([merged.boxes[:, :2], merged.boxes[:, 2:] - merged.boxes[:, :2]], 1).round(_DIGITS)
    return [
        PredictedBox(int(label), (float(box[0]), float(box[1]), float(box[2]), float(box[3])), float(score))
        for box, label, score in zip(sides, merged.classes, merged.scores, strict=True)
    ]
