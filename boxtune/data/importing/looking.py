"""Data's images looked at, one by one, on all cores: decoded, digested, their boxes settled."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from boxtune.data.annotations import AnnotatedImage, Written
from boxtune.data.digests import sha256_of
from boxtune.data.findings import Findings
from boxtune.data.importing.index import DataIndex, Look, read_image, write_look
from boxtune.data.importing.settling import settle
from boxtune.data.importing.sources import image_bytes
from boxtune.data.near_duplicates import fingerprint
from boxtune.data.parallel import in_parallel
from trial_entry.images.pixels import UPRIGHT, Undecodable, look_at
from trial_entry.images.rasters import RASTER, Raster, read_by_windows

_BATCH = 16


@dataclass(frozen=True)
class Looking:
    """How images are looked at.

    Attributes:
        written: what a box's numbers are.
        by_windows: whether they are to be cut, so that a TIFF of any size can be read.
    """

    written: Written
    by_windows: bool


@dataclass(frozen=True)
class _Task:
    """An image as its row in the index has it, so that little goes from process to process."""

    number: int
    key: str
    written: bytes
    how: Looking


def look_at_all(index: DataIndex, how: Looking, processes: int, tick: Callable[[int], None]) -> None:
    """Look at every image of the index that was not looked at before; `tick` is told how many more are done."""
    has_looks = index.has_looks()

    def tasks() -> Iterator[_Task]:
        for number, file, written in index.images():
            key = _key(file, written, how)
            if has_looks and index.is_known(key):
                index.keep([(number, key, b"")])
                tick(1)
            else:
                yield _Task(number, key, written, how)

    looks = in_parallel(_row, tasks(), processes, _BATCH)
    while part := list(islice(looks, _BATCH)):
        index.keep(part)
        tick(len(part))


def _key(file: str, written: bytes, how: Looking) -> str:
    """Equal for equal annotations of an unchanged file."""
    try:
        stat = os.stat(file)  # noqa: PTH116 (of a hundred thousand)
        state = f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"
    except OSError:
        state = ""
    return hashlib.sha256(written + f"{file}{state}{how}".encode()).hexdigest()


def _row(task: _Task) -> tuple[int, str, bytes]:
    return task.number, task.key, write_look(_look(read_image(task.written), task.how))


def _look(image: AnnotatedImage, how: Looking) -> Look:
    findings = Findings()
    try:
        if how.by_windows and image.offset < 0 and read_by_windows(image.file):
            return _look_at_raster(image, how, findings)
        data = image_bytes(image)
        seen = look_at(data)
        print_of_it = fingerprint(seen.small).hex()
    except OSError as error:
        return Look(bad=f"cannot be read: {error.strerror}")
    except Undecodable as bad:
        return Look(bad=str(bad))
    settled = settle(image, seen.size, seen.orientation, how.written, findings)
    if seen.why:
        findings.add("repaired", "image", seen.why, image.name)
    return Look(
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        size=settled.size,
        kept_as=seen.kept_as,
        fingerprint=print_of_it,
        objects=settled.objects,
        tally=settled.tally,
        findings=tuple(findings.everything()),
    )


def _look_at_raster(image: AnnotatedImage, how: Looking, findings: Findings) -> Look:
    """A TIFF that is never decoded whole: its parts are decoded when its tiles are written."""
    with closing(Raster(image.file)) as raster:
        settled = settle(image, raster.size, UPRIGHT, how.written, findings)
        if raster.has_world:
            why = "a GeoTIFF, whose world coordinates were ignored: boxes are in pixels"
            findings.add("warned", "image", why, image.name)
    return Look(
        sha256=sha256_of(image.file),
        bytes=image.file.stat().st_size,
        size=settled.size,
        kept_as=RASTER,
        objects=settled.objects,
        tally=settled.tally,
        findings=tuple(findings.everything()),
    )
