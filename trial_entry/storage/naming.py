"""Storage's names: which URL a path of this machine stands for, so that people read what they wrote."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path


class StandIns:
    """Files and folders of this machine that stand for what is in a bucket."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}

    def add(self, path: Path, url: str) -> None:
        """`path` stands for `url`, and what is below it for what is below that."""
        self._urls[str(path)] = url.rstrip("/")

    def url_of(self, path: Path) -> str | None:
        """What exactly `path` stands for; None where it stands for itself."""
        return self._urls.get(str(path))

    def named(self, text: str) -> str:
        """The text with URLs in the place of the paths that stand for them."""
        for path, url in self._urls.items():
            if path in text:
                text = text.replace(path, url)
        return text


@lru_cache(maxsize=1)
def stand_ins() -> StandIns:
    """Those of this process."""
    return StandIns()
