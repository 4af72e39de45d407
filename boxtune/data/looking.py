"""Data's images looked at, one by one, on all cores: decoded, digested, their boxes settled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from boxtune.data.annotations import AnnotatedImage, Written
from boxtune.data.findings import Findings
from boxtune.data.index import DataIndex, Look
from boxtune.data.near_duplicates import fingerprint
from boxtune.data.orientation import UPRIGHT
from boxtune.data.parallel import in_parallel
from boxtune.data.pixels import Undecodable, look_at
from boxtune.data.rasters import RASTER, Raster, is_large_tiff
from boxtune.data.settling import settle
from boxtune.data.sources import image_bytes

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
    image: AnnotatedImage
    how: Looking


def look_at_all(index: DataIndex, how: Looking, processes: int, tick: Callable[[int], None]) -> None:
    """Look at every image of the index that was not looked at before; `tick` is told how many more are done."""
    unknown: list[tuple[int, str]] = []

    def tasks() -> Iterator[_Task]:
        for number, image, written in index.images():
            key = _key(image, written, how)
            if index.known(key) is None:
                unknown.append((number, key))
                yield _Task(image, how)
            else:
                index.keep([(number, key, Look(), False)])
                tick(1)

    # Results come in the order of the tasks, so the first of `unknown` is always the one that comes next.
    for look in in_parallel(_look, tasks(), processes, _BATCH):
        number, key = unknown.pop(0)
        index.keep([(number, key, look, True)])
        tick(1)


def _key(image: AnnotatedImage, written: bytes, how: Looking) -> str:
    """Equal for equal annotations of an unchanged file."""
    try:
        stat = image.file.stat()
        state = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    except OSError:
        state = []
    return hashlib.sha256(written + f"{image.file.absolute()}{state}{how}".encode()).hexdigest()


def _look(task: _Task) -> Look:
    image, findings = task.image, Findings()
    try:
        if task.how.by_windows and image.offset < 0 and is_large_tiff(image.file):
            return _look_at_raster(task, findings)
        data = image_bytes(image)
        seen = look_at(data)
    except OSError as error:
        return Look(bad=f"cannot be read: {error.strerror}")
    except Undecodable as bad:
        return Look(bad=str(bad))
    settled = settle(image, seen.size, seen.orientation, task.how.written, findings)
    if seen.why:
        findings.add("repaired", "image", seen.why, image.name)
    return Look(
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        size=settled.size,
        kept_as=seen.kept_as,
        fingerprint=fingerprint(seen.small).hex(),
        objects=settled.objects,
        tally=settled.tally,
        findings=tuple(findings.everything()),
    )


def _look_at_raster(task: _Task, findings: Findings) -> Look:
    """A TIFF that is never decoded whole: its parts are decoded when its tiles are written."""
    image = task.image
    with closing(Raster(image.file)) as raster:
        settled = settle(image, raster.size, UPRIGHT, task.how.written, findings)
        if raster.has_world:
            why = "a GeoTIFF, whose world coordinates were ignored: boxes are in pixels"
            findings.add("warned", "image", why, image.name)
    with image.file.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Look(
        sha256=digest,
        bytes=image.file.stat().st_size,
        size=settled.size,
        kept_as=RASTER,
        objects=settled.objects,
        tally=settled.tally,
        findings=tuple(findings.everything()),
    )
