"""Data's inputs, told from others: whether an import that is asked for again would make what is there already."""

from __future__ import annotations

import hashlib
from pathlib import Path

from boxtune.data.annotations import AnnotatedImage
from boxtune.data.digests import sha256_of
from boxtune.data.importing.options import ImportOptions
from boxtune.data.published import FORMAT


class Inputs:
    """Everything that an import reads.

    Attributes:
        newest: when the last of its files was changed, in seconds since 1970.
    """

    def __init__(self, options: ImportOptions) -> None:
        self.newest = 0.0
        said = (
            FORMAT,
            options.split,
            options.seed,
            options.grouping.text,
            options.keep_together,
            options.tiling,
            options.max_side,
            options.shards,
            options.format,
            options.skip_bad,
        )
        self._digest = hashlib.sha256(repr(said).encode())

    def add(self, image: AnnotatedImage) -> None:
        """An image and what was written about it; of its file the size alone, since reading all takes long."""
        size = self._stat(image.file)
        text = f"{image.name} {size} {image.size} {image.split} {image.group} {image.shares} {image.objects}\n"
        self._digest.update(text.encode())

    def add_file(self, file: Path) -> None:
        """A file of annotations."""
        self._stat(file)
        if file.is_file():
            self._digest.update(bytes.fromhex(sha256_of(file)))

    @property
    def digest(self) -> str:
        """Equal for equal inputs, wherever they lie."""
        return self._digest.hexdigest()

    def _stat(self, file: Path) -> int:
        try:
            stat = file.stat()
        except OSError:
            return -1
        self.newest = max(self.newest, stat.st_mtime, stat.st_ctime)
        return stat.st_size
