"""Detection in image files: read ahead, in batches of one size, boxes in pixels of the file."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trial_entry.contract.detecting import DetectedImage, WantedImage
from trial_entry.detection.exported import ExportedModel, Found
from trial_entry.images.pixels import Undecodable
from trial_entry.images.reading import ImageReader, Seen

_LOG = logging.getLogger(__name__)
_LOG_SECONDS = 10.0
_DIGITS = 2  # of a pixel
_SCORE_DIGITS = 6


@dataclass(frozen=True)
class _Read:
    """An image, or why there is none."""

    wanted: WantedImage
    seen: Seen | None
    error: str | None = None


def detect_images(
    model: ExportedModel, wanted: Sequence[WantedImage], batch_size: int, score_threshold: float
) -> Iterator[DetectedImage]:
    """What is in each image, in their order; one that cannot be read has its error instead.

    Images that follow each other and have one size share a batch.

    Args:
        score_threshold: below it a detection is left out.
    """
    done, said = 0, time.monotonic()
    for batch in _batches(_ahead(wanted, batch_size), batch_size):
        if batch[0].seen is None:
            yield from (DetectedImage(each.wanted.file, each.wanted.window, error=each.error) for each in batch)
        else:
            seen = [each.seen for each in batch if each.seen is not None]
            found = model.detect(np.stack([each.pixels for each in seen]))
            for each, its_seen, its in zip(batch, seen, found, strict=True):
                yield _detected(each.wanted, its_seen, its, score_threshold)
        done += len(batch)
        if time.monotonic() - said > _LOG_SECONDS:
            said = time.monotonic()
            _LOG.info("%d of %d", done, len(wanted))


def _ahead(wanted: Sequence[WantedImage], most: int) -> Iterator[_Read]:
    """The images, up to `most` of them read while others are looked at."""
    with closing(ImageReader()) as reader, ThreadPoolExecutor(1) as pool:
        pending: deque[Future[_Read]] = deque()
        for each in wanted:
            pending.append(pool.submit(_read, reader, each))
            if len(pending) > most:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _read(reader: ImageReader, wanted: WantedImage) -> _Read:
    window = wanted.window
    try:
        left_to_lower = None if window is None else (window[0], window[1], window[2], window[3])
        return _Read(wanted, reader.read(Path(wanted.file), left_to_lower))
    except Undecodable as wrong:
        return _Read(wanted, None, str(wrong))


def _batches(images: Iterable[_Read], most: int) -> Iterator[list[_Read]]:
    """Images of one size that follow each other, at most so many; those that cannot be read are by themselves."""
    batch: list[_Read] = []
    for each in images:
        if batch and (len(batch) == most or _shape(batch[0]) != _shape(each)):
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch


def _shape(image: _Read) -> tuple[int, ...]:
    return image.seen.pixels.shape if image.seen is not None else ()


def _detected(wanted: WantedImage, seen: Seen, found: Found, threshold: float) -> DetectedImage:
    height, width = seen.pixels.shape[:2]
    left, top = (0, 0) if wanted.window is None else wanted.window[:2]
    sure = found.scores >= np.float32(threshold)
    boxes = found.boxes[sure].astype(float) * np.array([height, width, height, width]) + np.array([top, left] * 2)
    return DetectedImage(
        wanted.file,
        wanted.window,
        *seen.size,
        boxes=tuple(
            tuple(round(float(value), _DIGITS) for value in (xmin, ymin, xmax - xmin, ymax - ymin))
            for ymin, xmin, ymax, xmax in boxes
        ),
        classes=tuple(int(label) for label in found.classes[sure]),
        scores=tuple(round(float(score), _SCORE_DIGITS) for score in found.scores[sure]),
    )
