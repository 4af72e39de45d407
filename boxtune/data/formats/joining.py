"""Formats whose objects stand apart from their images: gathered on disk, so that memory does not grow with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import TypeAdapter

from boxtune.data.annotations import AnnotatedObject

_OBJECT: TypeAdapter[AnnotatedObject] = TypeAdapter(AnnotatedObject)
_SCHEMA = """
CREATE TABLE objects(image TEXT NOT NULL, object BLOB NOT NULL);
CREATE TABLE images(image TEXT PRIMARY KEY, place TEXT NOT NULL) WITHOUT ROWID;
"""


class ObjectsByImage:
    """Objects under the key of their image, in the order in which they came."""

    def __init__(self, scratch: Path) -> None:
        """
        Args:
            scratch: a folder; the file in it is thrown away with it.
        """
        path = scratch / "objects.sqlite"
        path.unlink(missing_ok=True)  # of an import that was cut off, perhaps in the middle of a page
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _SCHEMA)

    def add_all(self, objects: Iterable[tuple[str, AnnotatedObject]]) -> None:
        """Keep (image, object) pairs; once, before anything is asked."""
        self._base.execute("BEGIN")
        rows = ((image, _OBJECT.dump_json(each)) for image, each in objects)
        self._base.executemany("INSERT INTO objects VALUES (?, ?)", rows)
        self._base.execute("CREATE INDEX of_image ON objects(image)")
        self._base.execute("COMMIT")

    def of(self, image: str) -> tuple[AnnotatedObject, ...]:
        """The objects of one image."""
        rows = self._base.execute("SELECT object FROM objects WHERE image = ? ORDER BY rowid", (image,))
        return tuple(_OBJECT.validate_json(row) for (row,) in rows)

    def introduce(self, image: str, place: str) -> str:
        """Take note that an image is there; where it was already, or empty."""
        row = self._base.execute("SELECT place FROM images WHERE image = ?", (image,)).fetchone()
        if row is None:
            self._base.execute("INSERT INTO images VALUES (?, ?)", (image, place))
        return row[0] if row else ""

    def strangers(self) -> Iterator[tuple[str, AnnotatedObject]]:
        """(image, object) of objects whose image was never introduced."""
        rows = self._base.execute("SELECT image, object FROM objects WHERE image NOT IN (SELECT image FROM images)")
        for image, row in rows:
            yield image, _OBJECT.validate_json(row)

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()
