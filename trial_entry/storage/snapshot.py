"""Storage's snapshots: a folder as it was at one moment, held by hard links while it goes on changing.

Files that are replaced by a rename, or removed, stay in the snapshot as they were; of one that only grows, as much
counts as there was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Identity = tuple[int, int, int]  # inode, size, time of the last change


@dataclass(frozen=True)
class Kept:
    """One file of a snapshot.

    Attributes:
        file: a link to it.
        identity: equal where nothing was changed.
    """

    file: Path
    identity: Identity

    @property
    def size(self) -> int:
        """Bytes that it had."""
        return self.identity[1]


@dataclass(frozen=True)
class Snapshot:
    """A folder at one moment.

    Attributes:
        files: by relative name.
        links: the folder of the links.
    """

    files: Mapping[str, Kept]
    links: Path

    @classmethod
    def take(cls, folder: Path, links: Path, is_skipped: Callable[[str], bool]) -> Snapshot:
        """Every file of `folder` whose relative name is not skipped.

        Args:
            links: a folder to make, on the same disk.

        Raises:
            OSError: no links can be made there.
        """
        files = {}
        links.mkdir(parents=True)
        for place, name in enumerate(sorted(relative_files(folder))):
            if not is_skipped(name):
                link = links / str(place)
                os.link(folder / name, link)
                files[name] = Kept(link, identity_of(link))
        return cls(files, links)

    def discard(self) -> None:
        """Remove its links."""
        shutil.rmtree(self.links, ignore_errors=True)


def relative_files(folder: Path) -> list[str]:
    """The relative names of all files below `folder`."""
    return [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]


def followed_files(folder: Path) -> list[str]:
    """As `relative_files`, and what lies behind links to folders; a link to a folder that it lies in is left out.

    Raises:
        OSError: a folder cannot be read.
    """
    found: list[str] = []

    def refuse(problem: OSError) -> None:
        raise problem

    for parent, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        here = Path(parent)
        found += [(here / name).relative_to(folder).as_posix() for name in files if (here / name).is_file()]
        depth = len(here.relative_to(folder).parts)
        above = {each.resolve() for each in (here, *list(here.parents)[:depth])}  # on the way here, through links
        above.update(here.resolve().parents)  # and where it really lies
        folders[:] = [name for name in folders if (here / name).resolve() not in above]
    return found


def identity_of(file: Path) -> Identity:
    """What tells one state of a file from another."""
    found = file.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
