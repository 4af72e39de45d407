"""LabelMe's JSON: a file an image, outlines in pixels, the image perhaps within it.

https://github.com/wkentaro/labelme
"""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot
from pathlib import Path

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Annotations, Box, hull
from boxtune.data.formats.json_files import items
from boxtune.data.formats.source import OUTLINE, Fields, Source, class_name, number, positive_size, split_of_folders
from boxtune.data.image_folder import ImageFolder, ImageNotFound, files_below
from boxtune.errors import AnnotationsError

NAME = "LabelMe"
_NO_AREA = frozenset(("point", "points", "line", "linestrip"))


def read(source: Source) -> Annotations:
    """Every image that has a JSON file, with boxes in pixels."""
    given = source.annotations
    files = [given] if given.is_file() else files_below(given, ".json")
    return Annotations(NAME, files, _images(source, files), [], written="corners")


def _images(source: Source, files: list[Path]) -> Iterator[AnnotatedImage]:
    given = source.annotations
    base = given if given.is_dir() else given.parent
    folder = source.folder(base)
    annotated: dict[Path, str] = {}
    for path in files:
        shown = source.shown(path)
        about = _about(path, shown)
        try:
            file = _file(folder, path, base, str(about.get("imagePath") or ""))
        except ImageNotFound as missing:
            source.findings.lose("file", "without an image", f"{shown}: {missing}")
            continue
        if annotated.setdefault(file, shown) != shown:
            raise AnnotationsError(
                f"{shown}: its image {source.name_of(file)} is that of {annotated[file]} too; keep one"
            )
        shapes = about.get("shapes")
        if not isinstance(shapes, list):
            raise AnnotationsError(f"{shown}: no list of shapes, as LabelMe writes it")
        objects = tuple(
            each
            for index, shape in enumerate(shapes)
            if (each := _object(source, shape, f"{shown}: shapes[{index}]")) is not None
        )
        size = positive_size(about.get("imageWidth"), about.get("imageHeight"))
        split = split_of_folders(path.relative_to(base))
        yield AnnotatedImage(source.name_of(file), file, shown, size, objects, split=split)
    if not given.is_file():
        source.say_unnamed(folder, annotated)


def _about(path: Path, shown: str) -> Fields:
    """The file's one value."""
    found = next(items(path, shown, ""), None)
    if not isinstance(found, dict):
        raise AnnotationsError(f"{shown}: no mapping with shapes, as LabelMe writes it")
    return found


def _file(folder: ImageFolder, path: Path, base: Path, written: str) -> Path:
    """The image of its own stem; else the one that it names, from its own folder or wherever its name ends so."""
    relative = path.relative_to(base)
    named = written.replace("\\", "/").rpartition("/")[2]
    if named and Path(named).stem == path.stem and (folder.root / relative.parent / named).is_file():
        return folder.root / relative.parent / named
    try:
        return folder.with_stem(relative.with_suffix("").as_posix())
    except ImageNotFound:
        beside = path.parent / written.replace("\\", "/")
        return beside if written and beside.is_file() and beside.is_relative_to(folder.root) else folder.find(written)


def _object(source: Source, shape: object, place: str) -> AnnotatedObject | None:
    if not isinstance(shape, dict) or not isinstance(shape.get("points"), list):
        raise AnnotationsError(f"{place}: no shape with points")
    kind = str(shape.get("shape_type") or "polygon")
    if kind in _NO_AREA:
        source.findings.add("skipped", "object", "of no area: a point, a line, a mask", place)
        return None
    points = [_point(each, place) for each in shape["points"]]
    if len(points) < 2:  # noqa: PLR2004
        raise AnnotationsError(f"{place}: {len(points)} points; an outline has two at least")
    if kind != "rectangle":
        source.findings.add("repaired", "object", OUTLINE, place)
    return AnnotatedObject(class_name(shape.get("label"), place), _box(kind, points), place)


def _point(each: object, place: str) -> tuple[float, float]:
    if not isinstance(each, list) or len(each) != 2:  # noqa: PLR2004
        raise AnnotationsError(f"{place}: a point is {str(each)[:40]}; write [x, y]")
    return number(each[0], place, "x"), number(each[1], place, "y")


def _box(kind: str, points: list[tuple[float, float]]) -> Box:
    if kind == "circle":  # the centre, and a point on it
        (x, y), (on_x, on_y) = points[:2]
        radius = hypot(on_x - x, on_y - y)
        return x - radius, y - radius, x + radius, y + radius
    return hull(points)
