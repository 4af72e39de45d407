"""Data's index on disk while records are made: every image with its annotations, what was seen of it, where it goes.

It is in SQLite, so that memory does not grow with the data, and so that what was looked at once is kept when an import
is cut off.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject
from boxtune.data.findings import Finding
from boxtune.data.importing.settling import Tally
from trial_entry.images.pixels import Size

_LOOKS = "CREATE TABLE IF NOT EXISTS looks(key TEXT PRIMARY KEY, look BLOB NOT NULL) WITHOUT ROWID;"
_IMAGES = """
DROP TABLE IF EXISTS images;
CREATE TABLE images(
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, file TEXT NOT NULL, image BLOB NOT NULL,
    key TEXT NOT NULL DEFAULT '',
    split TEXT NOT NULL DEFAULT '', shard INTEGER NOT NULL DEFAULT 0, position INTEGER NOT NULL DEFAULT 0
);
"""


@dataclass(frozen=True)
class Look:
    """What was seen of one image.

    Attributes:
        bad: why it cannot be used; empty where it can.
        sha256: of its file, hexadecimal.
        bytes: of its file.
        size: width and height as seen.
        kept_as: the format of its bytes where they are kept; empty where the image is written anew.
        fingerprint: for near-duplicates.
        objects: its boxes, in pixels as seen.
        tally: of the boxes as written.
        findings: what was found on the way.
    """

    bad: str = ""
    sha256: str = ""
    bytes: int = 0
    size: Size = (0, 0)
    kept_as: str = ""
    fingerprint: str = ""
    objects: tuple[AnnotatedObject, ...] = ()
    tally: Tally = field(default_factory=Tally)
    findings: tuple[Finding, ...] = ()


_IMAGE: TypeAdapter[AnnotatedImage] = TypeAdapter(AnnotatedImage)
_LOOK: TypeAdapter[Look] = TypeAdapter(Look)


@dataclass(frozen=True)
class Place:
    """Where an image goes."""

    number: int
    split: str
    shard: int
    position: int


def read_image(written: bytes) -> AnnotatedImage:
    """The image of a row."""
    return _IMAGE.validate_json(written)


def write_look(look: Look) -> bytes:
    """A look as a row."""
    return _LOOK.dump_json(look)


class DataIndex:
    """The index in one file."""

    def __init__(self, path: Path, *, keep: bool = False) -> None:
        """
        Args:
            keep: read what is there, rather than begin anew with what was looked at before.
        """
        self._base = sqlite3.connect(path, isolation_level=None)
        if not keep:
            self._base.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _LOOKS + _IMAGES)

    def add(self, images: Iterable[AnnotatedImage], twice: Callable[[AnnotatedImage, AnnotatedImage], None]) -> None:
        """Keep the images of a reader, in their order; of a file that is listed twice, the objects of both.

        Args:
            twice: is told of an image that is listed again, after the first.
        """
        self._base.execute("BEGIN")
        for image in images:
            row = (image.name, str(image.file.absolute()), _IMAGE.dump_json(image))
            done = self._base.execute("INSERT OR IGNORE INTO images(name, file, image) VALUES (?, ?, ?)", row)
            if not done.rowcount:
                self._merge(image, twice)
        self._base.execute("COMMIT")

    def _merge(self, image: AnnotatedImage, twice: Callable[[AnnotatedImage, AnnotatedImage], None]) -> None:
        [row] = self._base.execute("SELECT image FROM images WHERE name = ?", (image.name,)).fetchone()
        known = _IMAGE.validate_json(row)
        twice(known, image)
        both = replace(known, objects=known.objects + image.objects)
        self._base.execute("UPDATE images SET image = ? WHERE name = ?", (_IMAGE.dump_json(both), image.name))

    def __len__(self) -> int:
        count: int = self._base.execute("SELECT COUNT(*) FROM images").fetchone()[0]
        return count

    def images(self) -> Iterator[tuple[int, str, bytes]]:
        """(number, file, what was written about it as `read_image` reads it) of every image, in their order."""
        yield from _rows(self._base, "SELECT number, file, image FROM images WHERE number > ? ORDER BY number")

    def has_looks(self) -> bool:
        """Whether anything was looked at before."""
        return self._base.execute("SELECT 1 FROM looks LIMIT 1").fetchone() is not None

    def is_known(self, key: str) -> bool:
        """Whether something was looked at under this key before."""
        return self._base.execute("SELECT 1 FROM looks WHERE key = ?", (key,)).fetchone() is not None

    def keep(self, looks: Iterable[tuple[int, str, bytes]]) -> None:
        """Keep (number, key, look as `write_look` writes it, empty for one that is known), all of them or none."""
        self._base.execute("BEGIN")
        for number, key, look in looks:
            if look:
                self._base.execute("INSERT OR REPLACE INTO looks VALUES (?, ?)", (key, look))
            self._base.execute("UPDATE images SET key = ? WHERE number = ?", (key, number))
        self._base.execute("COMMIT")

    def looked(self) -> Iterator[tuple[int, AnnotatedImage, Look]]:
        """(number, image, look) of every image, in their order."""
        sql = """SELECT number, image, look FROM images JOIN looks USING (key) WHERE number > ? ORDER BY number"""
        for number, image, look in _rows(self._base, sql):
            yield number, _IMAGE.validate_json(image), _LOOK.validate_json(look)

    def place(self, places: Iterable[Place]) -> None:
        """Say where images go; those of which nothing is said go nowhere."""
        self._base.execute("BEGIN")
        self._base.execute("UPDATE images SET split = ''")
        self._base.executemany(
            "UPDATE images SET split = ?, shard = ?, position = ? WHERE number = ?",
            ((each.split, each.shard, each.position, each.number) for each in places),
        )
        self._base.execute("CREATE INDEX IF NOT EXISTS of_shard ON images(split, shard, position)")
        self._base.execute("COMMIT")

    def shard(self, split: str, shard: int) -> Iterator[tuple[AnnotatedImage, Look]]:
        """The images of one shard, in the order of their records."""
        for image, look in self._shard(split, shard):
            yield _IMAGE.validate_json(image), _LOOK.validate_json(look)

    def shard_rows(self, split: str, shard: int) -> Iterator[bytes]:
        """The same as bytes: equal for equal images with equal objects."""
        for image, look in self._shard(split, shard):
            yield image + look

    def _shard(self, split: str, shard: int) -> Iterator[tuple[bytes, bytes]]:
        sql = """SELECT position, image, look FROM images JOIN looks USING (key)
            WHERE position > ? AND split = :split AND shard = :shard ORDER BY position"""
        for _, image, look in _rows(self._base, sql, split=split, shard=shard):
            yield image, look

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()


_PAGE = 1000  # rows that are read at a time, so that others may write in between


def _rows(base: sqlite3.Connection, sql: str, **values: str | int) -> Iterator[tuple]:  # type: ignore[type-arg]
    """Rows of a statement whose first column goes on from `?`."""
    last = -1
    named = sql.replace("?", ":last")
    while rows := base.execute(f"{named} LIMIT {_PAGE}", {**values, "last": last}).fetchall():
        yield from rows
        last = rows[-1][0]
