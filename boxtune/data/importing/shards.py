"""Data's shards: which image goes into which file of a split, and the files written by all cores."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.importing.index import DataIndex, Place
from boxtune.data.importing.records import RecordOptions, examples
from boxtune.data.parallel import in_parallel
from boxtune.errors import AnnotationsError
from trial_entry.images.pixels import Undecodable
from trial_entry.records.tfrecord import write_records

_SHARD_BYTES = 128 << 20
_SHARD_RECORDS = 200  # small sets are sharded too, since a reader reads several files at once
_MOST_SMALL = 10


@dataclass(frozen=True, slots=True)
class Sized:
    """An image's share of a split.

    Attributes:
        number: of the image in the index.
        split: where it goes.
        order: its place among the others, by content, so that neighbours of a film stand apart.
        records, bytes: how many it becomes, and how large about.
    """

    number: int
    split: str
    order: bytes
    records: int
    bytes: int


@dataclass(frozen=True)
class Shard:
    """One file of a split."""

    split: str
    number: int
    of: int

    @property
    def name(self) -> str:
        """As TensorFlow names shards."""
        return f"{self.split}-{self.number:05d}-of-{self.of:05d}"

    @property
    def pattern(self) -> str:
        """What matches all files of its split."""
        return f"{self.split}-*-of-{self.of:05d}"


def placed(images: Sequence[Sized], shards: int) -> tuple[list[Place], list[Shard]]:
    """Where every image goes, and all files; `shards` a split, or as many as its size asks for where that is 0."""
    places: list[Place] = []
    files: list[Shard] = []
    for split in dict.fromkeys(each.split for each in images):
        own = sorted((each for each in images if each.split == split and each.records), key=lambda each: each.order)
        count = min(shards or _count(own), len(own))
        files += [Shard(split, number, count) for number in range(count)]
        places += [Place(each.number, split, place % count, place) for place, each in enumerate(own)]
    return places, files


def _count(images: Sequence[Sized]) -> int:
    records, size = sum(each.records for each in images), sum(each.bytes for each in images)
    return max(1, -(-size // _SHARD_BYTES), min(_MOST_SMALL, records // _SHARD_RECORDS))


def write_shards(
    index: Path,
    folder: Path,
    shards: Sequence[Shard],
    options: RecordOptions,
    processes: int,
    tick: Callable[[int], None],
) -> Mapping[str, int]:
    """Write every shard into `folder`, those that are there already left as they are; the number of records by name.

    A shard that is cut off has another name until it is whole.

    Raises:
        AnnotationsError: an image was changed since it was looked at, or is damaged.
        OSError: the folder cannot be written.
    """
    tasks = [_Task(index, folder, shard, options, _plan(index, shard, options)) for shard in shards]
    counts: dict[str, int] = {}
    for task, count in zip(tasks, in_parallel(_write, tasks, processes, 1), strict=True):
        counts[task.shard.name] = count
        tick(1)
    return counts


@dataclass(frozen=True)
class _Task:
    index: Path
    folder: Path
    shard: Shard
    options: RecordOptions
    plan: str

    @property
    def file(self) -> Path:
        return self.folder / self.shard.name

    @property
    def done(self) -> Path:
        """Says of what a whole shard is made; it is beside the folder that is published."""
        return self.folder.parent / f"{self.shard.name}.plan"


def _plan(index: Path, shard: Shard, options: RecordOptions) -> str:
    digest = hashlib.sha256(repr(options).encode())
    with closing(DataIndex(index, keep=True)) as base:
        for row in base.shard_rows(shard.split, shard.number):
            digest.update(row)
    return digest.hexdigest()


def _write(task: _Task) -> int:
    if task.file.is_file() and task.done.is_file():
        plan, _, written = task.done.read_text().partition(" ")
        if plan == task.plan:
            return int(written)
    part = task.file.with_suffix(".part")
    with closing(DataIndex(task.index, keep=True)) as base:
        count = write_records(part, _examples(base, task))
    part.rename(task.file)
    task.done.write_text(f"{task.plan} {count}")
    return count


def _examples(base: DataIndex, task: _Task) -> Iterator[bytes]:
    for image, look in base.shard(task.shard.split, task.shard.number):
        try:
            yield from examples(image, look, task.options)
        except Undecodable as bad:
            raise AnnotationsError(f"{image.name}: {bad}") from None
