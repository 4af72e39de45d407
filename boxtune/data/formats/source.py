"""Formats' common ground: what a reader is given, and names that every format writes alike."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.findings import Findings
from boxtune.data.image_folder import ImageFolder
from boxtune.errors import AnnotationsError

Fields = Mapping[str, object]  # what was written of one thing, by name
OUTLINE = "with an outline, taken as the box around it"  # why an object is repaired
_IMAGE_FOLDERS = ("JPEGImages", "images", "Images", "imgs", "img")
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "trainval": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Source:
    """What a reader reads, and whom it tells what it left out.

    Attributes:
        annotations: the file or folder that was named.
        images: where images lie; None where nobody said.
        scratch: a folder for what does not fit into memory.
        findings: takes what is skipped, repaired or strange.
        group_column: of a CSV, what holds together; empty for none.
    """

    annotations: Path
    images: Path | None
    scratch: Path
    findings: Findings
    group_column: str = ""

    def folder(self, beside: Path) -> ImageFolder:
        """The images' folder; where nobody named one, that of the annotations, or one beside it that has images."""
        if self.images is not None:
            return ImageFolder(self.images)
        candidates = (beside, *(beside.parent / name for name in _IMAGE_FOLDERS), beside.parent)
        folders = (ImageFolder(each) for each in candidates if each.is_dir())
        return next((each for each in folders if each.files), ImageFolder(beside))

    def name_of(self, image: Path) -> str:
        """The name under which records know an image: relative to what was named, and no other's."""
        root = self.images or (self.annotations if self.annotations.is_dir() else self.annotations.parent)
        for base in (root, root.parent):
            if image.is_relative_to(base):
                return image.relative_to(base).as_posix()
        return image.as_posix().lstrip("/")

    def say_unnamed(self, folder: ImageFolder, named: Collection[Path]) -> None:
        """Count the images of a folder that no annotation names."""
        for name in folder.files:
            if folder.root / name not in named:
                self.findings.add("skipped", "image", "in the folder that no annotation names", name)

    def shown(self, file: Path) -> str:
        """A file as messages name it: relative to what was named."""
        root = self.annotations if self.annotations.is_dir() else self.annotations.parent
        return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def split_of(name: str) -> str:
    """Boxtune's name of a split that a folder, file or column names; empty where it names none."""
    words = name.lower().replace("-", "_").replace(".", "_").split("_")
    found = [SPLIT_NAMES[word.rstrip("0123456789")] for word in words if word.rstrip("0123456789") in SPLIT_NAMES]
    return found[-1] if found else ""


def fields(value: object, place: str, what: str) -> Fields:
    """What is written of one thing.

    Args:
        what: it should be, for the message.

    Raises:
        AnnotationsError: it is no mapping.
    """
    if not isinstance(value, dict):
        raise AnnotationsError(f"{place}: {str(value)[:40]!r} is no {what}")
    return value


def listed(value: object) -> list[object]:
    """A list; empty of anything else."""
    return value if isinstance(value, list) else []


def says_yes(value: object) -> bool:
    """Whether a flag is set: true, a number that is not 0, or a text of one of these."""
    return value.strip().lower() in ("1", "true", "yes") if isinstance(value, str) else bool(value)


def split_of_folders(relative: Path) -> str:
    """The split that one of a path's folders names; empty where none does."""
    return next((SPLIT_NAMES[part.lower()] for part in relative.parts[:-1] if part.lower() in SPLIT_NAMES), "")


def number(value: object, place: str, what: str) -> float:
    """A coordinate.

    Raises:
        AnnotationsError: no finite number.
    """
    found = _float(value)
    if not math.isfinite(found):
        raise AnnotationsError(f"{place}: {what} is {value!r}, which is no number")
    return found


def positive_size(width: object, height: object) -> tuple[int, int] | None:
    """An image's size as written; None where it is missing, no number or not positive: the image knows better."""
    sides = _float(width), _float(height)
    size = (round(sides[0]), round(sides[1])) if all(map(math.isfinite, sides)) else (0, 0)
    return size if min(size) > 0 else None


def _float(value: object) -> float:
    """A number, or a text of one; NaN of anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def class_name(value: object, place: str) -> str:
    """A class's name without blanks around it, which nobody means.

    Raises:
        AnnotationsError: empty, or no text.
    """
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise AnnotationsError(f"{place}: the class's name is {value!r}; write a name")
    return unicodedata.normalize("NFC", " ".join(str(value).split()))


def text_lines(path: Path, shown: str) -> Iterator[tuple[int, str]]:
    """Every line that is not blank, with its number from 1, without a byte order mark.

    Raises:
        AnnotationsError: unreadable, or not UTF-8.
    """
    for line, text in enumerate(read_text(path, shown).splitlines(), 1):
        if text.strip():
            yield line, text.strip()


def read_text(path: Path, shown: str) -> str:
    """A text file, without a byte order mark.

    Raises:
        AnnotationsError: unreadable, or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise AnnotationsError(f"{shown}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise AnnotationsError(f"{shown}:{line}: not UTF-8; save it as UTF-8") from None
