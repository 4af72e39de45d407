"""Pascal VOC's XML: a file an image, coordinates as they are written, in pixels; splits by ImageSets/Main.

Written by LabelImg, CVAT, Roboflow and others, which count edges from 0; the challenge's own files count pixels from 1,
and the API's converter takes them as they are. So nothing is subtracted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Annotations, Box, rotated
from boxtune.data.formats.source import (
    OUTLINE,
    Source,
    class_name,
    number,
    positive_size,
    split_of,
    split_of_folders,
    text_lines,
)
from boxtune.data.formats.xml_files import flag, points_hull, read_xml, text_of
from boxtune.data.image_folder import IMAGE_SUFFIXES, ImageFolder, ImageNotFound, files_below
from boxtune.errors import AnnotationsError

NAME = "Pascal VOC"
_MARK = re.compile(r"\s+(-1|0|1)$")
_SIDES = ("xmin", "ymin", "xmax", "ymax")


def read(source: Source) -> Annotations:
    """Every image that has an XML file, with boxes in pixels."""
    root = source.annotations
    if (root / "Annotations").is_dir():
        root = root / "Annotations"
    files = [root] if root.is_file() else files_below(root, ".xml")
    if not files:
        raise AnnotationsError(f"{root}: no XML file")
    if root.is_dir() and len(sets := sorted(root.glob("*/Annotations"))) > 1:
        raise AnnotationsError(f"{root}: holds {len(sets)} data sets; name one, such as {sets[0].parent}")
    base = root.parent if root.is_file() else root
    return Annotations(NAME, files, _images(source, base, files), [], written="corners")


def _images(source: Source, base: Path, files: list[Path]) -> Iterator[AnnotatedImage]:
    folder = source.folder(base)
    sets, listed = base.parent / "ImageSets" / "Main", 0
    splits = _image_sets(sets, source)
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
            raise AnnotationsError(f"{shown}: its image {source.name_of(file)} has another XML file too; keep one")
        annotated.add(file)
        objects = tuple(
            each
            for index, element in enumerate(root.findall("object"), 1)
            for each in _objects(source, element, f"{shown}: object {index}")
        )
        size = positive_size(text_of(root, "size/width"), text_of(root, "size/height"))
        split = splits.get(path.stem, "") if splits else split_of_folders(path.relative_to(base))
        listed += path.stem in splits
        yield AnnotatedImage(source.name_of(file), file, shown, size, objects, split=split)
    if splits and not listed:
        source.findings.add("warned", "file", "of ImageSets/Main that name no image, so not used", sets.as_posix())
    for name in folder.files:
        if folder.root / name not in annotated:
            source.findings.add("skipped", "image", "without an XML file, so perhaps not annotated", name)


def _file(folder: ImageFolder, relative: Path, filename: str) -> Path:
    """The image of the file's own stem; `filename` is what the tool was told once, and decides between two of them."""
    stem, named = relative.with_suffix("").as_posix(), filename.replace("\\", "/").rpartition("/")[2]
    if named and Path(named).stem == relative.stem and (folder.root / relative.parent / named).is_file():
        return folder.root / relative.parent / named
    try:
        return folder.with_stem(stem)
    except ImageNotFound as missing:
        if not filename:
            raise
        try:
            return folder.find(filename)
        except ImageNotFound:
            raise missing from None


def _objects(source: Source, element: Element, place: str) -> Iterator[AnnotatedObject]:
    """An object; as many as it has boxes; none of what was deleted in MIT's LabelMe."""
    if flag(element, "deleted"):
        return
    label = class_name(text_of(element, "name"), place)
    place = f"{place} ({label})"
    for box in _boxes(source, element, place):
        yield AnnotatedObject(
            label, box, place, difficult=flag(element, "difficult"), truncated=flag(element, "truncated")
        )


def _boxes(source: Source, element: Element, place: str) -> Iterator[Box]:
    """Its bndboxes; else the box around its rotated box (roLabelImg) or polygon (Roboflow)."""
    turned, polygon = element.find("robndbox"), element.find("polygon")
    for bndbox in element.findall("bndbox"):
        xmin, ymin, xmax, ymax = (number(text_of(bndbox, side), place, side) for side in _SIDES)
        box = (xmin, ymin, xmax, ymax)
        if degrees := _rotation(element, place):  # CVAT writes a rotated box upright, with its angle beside it
            source.findings.add("repaired", "object", OUTLINE, place)
            box = rotated(box, degrees)
        yield box
    if element.find("bndbox") is not None:
        return
    if turned is not None:
        names = ("cx", "cy", "w", "h", "angle")
        x, y, width, height, angle = (number(text_of(turned, name), place, name) for name in names)
        source.findings.add("repaired", "object", OUTLINE, place)
        upright = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        yield rotated(upright, math.degrees(angle))
    elif polygon is not None:
        source.findings.add("repaired", "object", OUTLINE, place)
        values = {child.tag: (child.text or "") for child in polygon}
        pairs = [(values[f"x{tag[1:]}"], values[tag]) for tag in values if tag[0] == "y" and f"x{tag[1:]}" in values]
        points = [(text_of(each, "x"), text_of(each, "y")) for each in polygon.findall("pt")]
        yield points_hull(points or pairs, place)
    else:
        raise AnnotationsError(f"{place}: no bndbox")


def _rotation(element: Element, place: str) -> float:
    for attribute in element.findall("attributes/attribute"):
        if text_of(attribute, "name") == "rotation":
            return number(text_of(attribute, "value") or "0", place, "rotation")
    return 0.0


def _image_sets(folder: Path, source: Source) -> dict[str, str]:
    """Split by stem; ImageSets/Main also has a list a class, which is none.

    A line is a stem; or a file's name, perhaps with folders; or has 1, 0 or -1 behind it, as a class's lists have.
    """
    found: dict[str, str] = {}
    names = ("train", "val", "test") if (folder / "train.txt").is_file() else ("trainval", "val", "test")
    for name in names:
        path = folder / f"{name}.txt"
        if path.is_file():
            for _, line in text_lines(path, source.shown(path)):
                entry = Path(_MARK.sub("", line).replace("\\", "/"))
                stem = entry.stem if entry.suffix.lower() in IMAGE_SUFFIXES else entry.name
                found.setdefault(stem, split_of(name))
    return found
