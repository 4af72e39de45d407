"""Data's images on disk: which file is meant by a name that somebody's tool wrote on somebody's machine."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from boxtune.errors import AnnotationsError

IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp", ".mpo", ".jp2")
)


class ImageNotFound(Exception):  # noqa: N818 (its caller decides whether it is an error)
    """No file is meant, or nobody can say which; the message says why."""


class ImageFolder:
    """The images below a folder. Nothing outside of it is ever found by a name."""

    def __init__(self, root: Path) -> None:
        """
        Raises:
            AnnotationsError: not a folder.
        """
        if not root.is_dir():
            raise AnnotationsError(f"{root}: no such folder of images; name one with --images DIR")
        self.root = root
        self._meant: dict[Path, tuple[str, ...]] = {}  # what a file was found for

    def find(self, written: str) -> Path:
        """The file that a written name means: itself, or the only one that ends like it.

        Tried in this order: the path below the folder; the same in another Unicode form; the only file with the
        longest common end; the only file of that stem with another extension.

        Raises:
            ImageNotFound: there is none, there are several, it is what another name means, or a link leads out of the
                folder.
        """
        parts = [part for part in written.replace("\\", "/").split("/") if part not in ("", ".")]
        if not parts:
            raise ImageNotFound("the file's name is empty")
        path = self._exact(parts) or self.root / self._alike(tuple(map(_normal, parts)), written)
        other = self._meant.setdefault(path, tuple(parts))
        if other != tuple(parts):
            raise ImageNotFound(f"{written}: not found; {self.name_of(path)} is what {'/'.join(other)} means")
        return self._inside(path)

    def _exact(self, parts: list[str]) -> Path | None:
        if ".." in parts:
            return None
        try:
            path = self.root.joinpath(*parts)
            return path if path.is_file() else None
        except (OSError, ValueError):  # a name that no file can have
            return None

    def with_stem(self, relative: str) -> Path:
        """The image of a relative path without extension; of several the one in the order of the alphabet.

        Raises:
            ImageNotFound: there is none.
        """
        found = self._by_stem.get(relative) or self._by_stem.get(_normal(relative))
        if found is None:
            raise ImageNotFound(f"no image {relative}.* in {self.root}: not found")
        return self._inside(self.root / found)

    def name_of(self, path: Path) -> str:
        """A file as messages name it: relative to the folder, with `/`."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix().lstrip("/")

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Every image below the folder, relative, sorted; links to folders are not followed."""
        return tuple(sorted(_images_below(self.root)))

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for file in self.files:
            found.setdefault(_normal(PurePosixPath(file).name), []).append(file)
        return found

    @cached_property
    def _by_stem(self) -> dict[str, str]:
        """By relative path without extension, in both spellings of its case."""
        stems = [(file[: -len(PurePosixPath(file).suffix)], file) for file in reversed(self.files)]
        found = {_normal(stem): file for stem, file in stems}
        return found | dict(stems)  # its own spelling before that of another case

    @cached_property
    def _by_last_stem(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for file in self.files:
            found.setdefault(_normal(PurePosixPath(file).stem), []).append(file)
        return found

    def _alike(self, parts: tuple[str, ...], written: str) -> str:
        same_name = self._by_name.get(parts[-1], [])
        if not same_name:
            suffixless = PurePosixPath(parts[-1])
            stem = suffixless.stem if suffixless.suffix in IMAGE_SUFFIXES else suffixless.name
            same_name = self._by_last_stem.get(stem, [])
            if len(same_name) > 1:
                parts = (*parts[:-1], "")  # only the folders can tell
        if not same_name:
            raise ImageNotFound(f"{written}: not found in {self.root}")
        best = _longest_common_end(same_name, parts)
        if len(best) > 1:
            raise ImageNotFound(f"{written}: could be {best[0]} or {best[1]} in {self.root}")
        folders, given = PurePosixPath(_normal(best[0])).parts[:-1], parts[:-1]
        ends_alike = given[len(given) - len(folders) :] == folders or folders[len(folders) - len(given) :] == given
        if folders and given and not ends_alike:  # a file of this name, but in another folder than is written
            raise ImageNotFound(f"{written}: not found in {self.root}; {best[0]} is in another folder")
        return best[0]

    def _inside(self, path: Path) -> Path:
        if path.is_symlink() and not path.resolve().is_relative_to(self.root.resolve()):
            raise ImageNotFound(f"{self.name_of(path)}: a link that leads out of {self.root}; copy the file")
        return path


def _longest_common_end(files: list[str], parts: tuple[str, ...]) -> list[str]:
    """Those of `files` that have the most last folders in common with `parts`."""

    def common(file: str) -> int:
        folders = [_normal(part) for part in PurePosixPath(file).parent.parts]
        count = 0
        for own, given in zip(reversed(folders), reversed(parts[:-1]), strict=False):
            if own != given:
                break
            count += 1
        return count

    scores = {file: common(file) for file in files}
    return [file for file, score in scores.items() if score == max(scores.values())]


def is_foreign(name: str) -> bool:
    """Whether a file or folder is an operating system's or an editor's own: `._a.jpg`, `@eaDir`, `__MACOSX`."""
    return name.startswith((".", "@")) or name == "__MACOSX"


def files_below(root: Path, suffix: str) -> list[Path]:
    """Every file of a suffix below a folder, in any case, sorted; what is foreign is left out."""
    found = (path for path in root.rglob("*") if path.suffix.lower() == suffix and path.is_file())
    return sorted(path for path in found if not any(map(is_foreign, path.relative_to(root).parts)))


def _images_below(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not is_foreign(name)]
        for name in names:
            if os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES and not is_foreign(name):  # noqa: PTH122
                if not name.isprintable() and "\udc80" <= max(name) <= "\udcff":
                    raise AnnotationsError(f"{folder}: {name!a}: a name that is not UTF-8; rename the file")
                yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")  # noqa: PTH118


def _normal(text: str) -> str:
    """One spelling of a name: macOS writes accents apart, Windows does not tell cases apart."""
    return unicodedata.normalize("NFC", text).casefold()
