"""Pascal VOC's XML: a file an image, coordinates as they are written, in pixels; splits by ImageSets/Main.

Written by LabelImg, CVAT, Roboflow and others, which count edges from 0; the challenge's own files count pixels from 1,
and the API's converter takes them as they are. So nothing is subtracted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Annotations, Box, rotated
from boxtune.data.formats.source import Source, class_name, number, positive_size, split_of, text_lines
from boxtune.data.formats.xml_files import flag, points_hull, read_xml, text_of
from boxtune.data.image_folder import ImageFolder, ImageNotFound
from boxtune.errors import AnnotationsError

NAME = "Pascal VOC"
_SIDES = ("xmin", "ymin", "xmax", "ymax")


def read(source: Source) -> Annotations:
    """Every image that has an XML file, with boxes in pixels."""
    root = source.annotations
    if (root / "Annotations").is_dir():
        root = root / "Annotations"
    files = [root] if root.is_file() else sorted(file for file in root.rglob("*.xml") if not file.name.startswith("."))
    if not files:
        raise AnnotationsError(f"{root}: no XML file")
    base = root.parent if root.is_file() else root
    return Annotations(NAME, files, _images(source, base, files), [], written="corners")


def _images(source: Source, base: Path, files: list[Path]) -> Iterator[AnnotatedImage]:
    folder = source.folder(base)
    splits = _image_sets(base.parent / "ImageSets" / "Main", source)
    annotated: set[Path] = set()
    for path in files:
        shown = source.shown(path)
        root = read_xml(path, shown)
        if root.tag != "annotation":
            raise AnnotationsError(f"{shown}: its root is {root.tag}, not annotation as Pascal VOC's is")
        try:
            file = _file(folder, path.relative_to(base), text_of(root, "filename"))
        except ImageNotFound as missing:
            source.findings.lose("file", "without an image", f"{shown}: {missing}")
            continue
        if file in annotated:
            raise AnnotationsError(f"{shown}: its image {folder.name_of(file)} has another XML file too; keep one")
        annotated.add(file)
        objects = tuple(
            _object(source, each, f"{shown}: object {index}") for index, each in enumerate(root.findall("object"), 1)
        )
        size = positive_size(text_of(root, "size/width"), text_of(root, "size/height"))
        split = splits.get(path.stem, "") if splits else ""
        yield AnnotatedImage(folder.name_of(file), file, shown, size, objects, split=split)
    for name in folder.files:
        if folder.root / name not in annotated:
            source.findings.add("skipped", "image", "without an XML file, so perhaps not annotated", name)


def _file(folder: ImageFolder, relative: Path, filename: str) -> Path:
    """The image of the file's own stem; `filename` is what the tool was told once."""
    stem = relative.with_suffix("").as_posix()
    try:
        return folder.with_stem(stem)
    except ImageNotFound as missing:
        if not filename:
            raise
        try:
            return folder.find(filename)
        except ImageNotFound:
            raise missing from None


def _object(source: Source, element: Element, place: str) -> AnnotatedObject:
    label = class_name(text_of(element, "name"), place)
    return AnnotatedObject(
        label,
        _box(source, element, f"{place} ({label})"),
        f"{place} ({label})",
        difficult=flag(element, "difficult"),
        truncated=flag(element, "truncated"),
    )


def _box(source: Source, element: Element, place: str) -> Box:
    """Its bndbox; else the box around its rotated box (roLabelImg) or polygon (Roboflow)."""
    bndbox, turned, polygon = (element.find(name) for name in ("bndbox", "robndbox", "polygon"))
    if bndbox is not None:
        xmin, ymin, xmax, ymax = (number(text_of(bndbox, side), place, side) for side in _SIDES)
        return xmin, ymin, xmax, ymax
    if turned is not None:
        x, y, width, height, angle = (
            number(text_of(turned, name), place, name) for name in ("cx", "cy", "w", "h", "angle")
        )
        source.findings.add("repaired", "object", "with an outline, taken as the box around it", place)
        upright = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        return rotated(upright, math.degrees(angle), (x, y))
    if polygon is not None:
        source.findings.add("repaired", "object", "with an outline, taken as the box around it", place)
        values = {child.tag: (child.text or "") for child in polygon}
        pairs = [(values[f"x{tag[1:]}"], values[tag]) for tag in values if tag[0] == "y" and f"x{tag[1:]}" in values]
        points = [(text_of(each, "x"), text_of(each, "y")) for each in polygon.findall("pt")]
        return points_hull(points or pairs, place)
    raise AnnotationsError(f"{place}: no bndbox")


def _image_sets(folder: Path, source: Source) -> dict[str, str]:
    """Split by stem; ImageSets/Main also has a list a class, which is none."""
    found: dict[str, str] = {}
    names = ("train", "val", "test") if (folder / "train.txt").is_file() else ("trainval", "val", "test")
    for name in names:
        path = folder / f"{name}.txt"
        if path.is_file():
            for _, line in text_lines(path, source.shown(path)):
                found.setdefault(line.split()[0], split_of(name))
    return found
