"""YOLO's texts: a line an object, `class x y width height` as shares of the image.

Rules where they are written down: https://docs.ultralytics.com/datasets/detect. Images without a text are background;
labels lie where `images` is `labels` in the path, or beside the images.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Annotations, Box, hull
from boxtune.data.formats.source import OUTLINE, Source, number, text_lines
from boxtune.data.formats.yolo_layout import ImageSet, Layout, layout_of
from boxtune.errors import AnnotationsError

NAME = "YOLO"
_NOT_LABELS = frozenset({"classes.txt", "obj.names", "notes.txt", "README.txt", "README.roboflow.txt"})
_BOX, _OUTLINE = 5, 7  # numbers of a line: a class and a box; a class and three points
_MOST, _LEAST = 1.1, -0.1  # a share this far over the edge is no slip of the hand: it is in another unit


def read(source: Source) -> Annotations:
    """Every image of every split, with boxes in shares."""
    layout = layout_of(source)
    return Annotations(NAME, layout.files, _Reader(source, layout).images(), list(layout.names), "centre and size")


@dataclass(frozen=True)
class _Labels:
    """The label file of an image, where there is one."""

    path: Path
    shown: str


class _Reader:
    def __init__(self, source: Source, layout: Layout) -> None:
        self._source = source
        self._layout = layout

    def images(self) -> Iterator[AnnotatedImage]:
        """Those of each split; refused where not one has labels."""
        taken: dict[Path, str] = {}
        used: set[Path] = set()
        for part in self._layout.sets:
            for file in part.files:
                if taken.setdefault(file, part.split) != part.split:
                    what = f"{self._source.name_of(file)} in {part.split}, also in {taken[file]}, where it stays"
                    self._source.findings.add("warned", "image", "listed in two splits", what)
                    continue
                labels = self._labels(file)
                used |= {labels.path} if labels is not None else set()
                yield self._image(part, file, labels)
        self._say_unused(taken, used)
        if not used:
            looked = self._label_paths(next(iter(taken)))[0] if taken else self._layout.root / "labels"
            where = self._source.shown(self._layout.file)
            raise AnnotationsError(
                f"{where}: no label file at all, such as {looked}: labels are missing or lie elsewhere"
            )

    def _say_unused(self, images: Collection[Path], used: Collection[Path]) -> None:
        """Count the label files beside those that are used whose image is not there."""
        stems: dict[Path, set[str]] = defaultdict(set)  # of the images there are, by the folder of their labels
        for folder in {file.parent for file in images}:
            names = {path.stem for path in folder.iterdir()} if folder.is_dir() else set[str]()
            for labels in self._label_paths(folder / "x.png"):
                stems[labels.parent] |= names
        for folder in sorted({path.parent for path in used}):
            for path in sorted(folder.glob("*.txt")):
                if path not in used and path.stem not in stems[folder] and path.name not in _NOT_LABELS:
                    shown = self._source.shown(path)
                    self._source.findings.lose(
                        "file", "without an image", f"{shown}: no image {path.stem}.*: not found"
                    )

    def _labels(self, file: Path) -> _Labels | None:
        for path in self._label_paths(file):
            for spelling in (path, path.with_suffix(".TXT"), path.with_name(f"{file.name}.txt")):
                if spelling.is_file():
                    return _Labels(spelling, self._source.shown(spelling))
        return None

    def _label_paths(self, image: Path) -> list[Path]:
        """Where labels of an image may lie.

        Its last folder `images` being `labels`, or beside it; or, where images and labels were named apart, at the same
        relative path.
        """
        beside = image.with_suffix(".txt")
        found = [] if beside.name in _NOT_LABELS else [beside]
        parts = list(beside.parts)
        places = [place for place, part in enumerate(parts[:-1]) if part.lower() in ("images", "jpegimages")]
        if places:
            parts[places[-1]] = "labels"
            found.insert(0, Path(*parts))
        if self._layout.labels is not None and beside.is_relative_to(self._layout.root):
            found.insert(0, self._layout.labels / beside.relative_to(self._layout.root))
        return found

    def _image(self, part: ImageSet, file: Path, labels: _Labels | None) -> AnnotatedImage:
        name = self._source.name_of(file)
        if labels is None:
            why = "without a label file, taken as background"
            self._source.findings.add("warned", "image", why, name)
            return AnnotatedImage(name, file, name, shares=True, split=part.split)
        objects = tuple(self._object(line, text, labels.shown) for line, text in text_lines(labels.path, labels.shown))
        return AnnotatedImage(name, file, labels.shown, None, objects, shares=True, split=part.split)

    def _object(self, line: int, text: str, shown: str) -> AnnotatedObject:
        place = f"{shown}:{line}"
        values = [number(each, place, "a field") for each in text.split()]
        if self._layout.keypoints and len(values) > _BOX:
            values = values[:_BOX]
        outline = len(values) >= _OUTLINE and len(values) % 2 == 1
        if len(values) != _BOX and not outline:
            hint = "; is the last one a confidence or a track's number?" if len(values) == _BOX + 1 else ""
            raise AnnotationsError(
                f"{place}: {len(values)} numbers; a line has five (class, x, y, width, height), or a class and the "
                f"points of an outline{hint}"
            )
        label = self._class(values[0], place)
        far = next((value for value in values[1:] if not _LEAST <= value <= _MOST), None)
        if far is not None:
            raise AnnotationsError(f"{place}: {far:g} is no share of the image; in pixels? normalise them, from 0 to 1")
        if outline:
            self._source.findings.add("repaired", "object", OUTLINE, place)
        return AnnotatedObject(label, _box(values[1:]), f"{place} ({label})")

    def _class(self, value: float, place: str) -> str:
        names = self._layout.names
        if not value.is_integer() or not 0 <= value < len(names):
            raise AnnotationsError(
                f"{place}: class {value:g}, but {self._source.shown(self._layout.named_in)} names 0 to {len(names) - 1}"
            )
        return names[int(value)]


def _box(values: Sequence[float]) -> Box:
    if len(values) > _BOX - 1:
        return hull(zip(values[::2], values[1::2], strict=True))
    x, y, width, height = values
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
