"""CVAT's own XML, "CVAT for images 1.1": one file, or one a task, with every image and its shapes.

https://docs.cvat.ai/docs/manual/advanced/formats/format-cvat/
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Annotations, Box, hull, rotated
from boxtune.data.findings import Findings
from boxtune.data.formats.source import OUTLINE, Source, class_name, number, positive_size, split_of
from boxtune.data.formats.xml_files import read_xml, text_of
from boxtune.data.image_folder import ImageFolder, ImageNotFound, files_below
from boxtune.errors import AnnotationsError

NAME = "CVAT"
_SIDES = ("xtl", "ytl", "xbr", "ybr")
_OUTLINES = frozenset(("polygon", "polyline", "ellipse"))


def read(source: Source) -> Annotations:
    """Every image of every file, with boxes in pixels."""
    given = source.annotations
    files = [given] if given.is_file() else files_below(given, ".xml")
    classes: list[str] = []
    return Annotations(NAME, files, _images(source, files, classes), classes, written="corners")


def _images(source: Source, files: list[Path], classes: list[str]) -> Iterator[AnnotatedImage]:
    for file in files:
        shown = source.shown(file)
        folder = source.folder(file.parent)
        for index, element in enumerate(_elements(file, shown, classes), 0):
            yield from _image(source, folder, element, f"{shown}: image {element.get('id', index)}")


def _elements(file: Path, shown: str, classes: list[str]) -> Iterator[Element]:
    """Each image as soon as it is read; the labels that the task declares go to `classes`."""
    try:
        events = iterparse(file, events=("start", "end"))
        root: Element = next(events)[1]
        if root.tag != "annotations":
            raise AnnotationsError(f"{shown}: its root is {root.tag}, not annotations as CVAT's is")
        for event, element in events:
            if event == "end" and element.tag == "label":
                _declare(element, shown, classes)
            elif event == "end" and element.tag == "image":
                yield element
                root.clear()  # what was read is not kept
            elif element.tag == "track":
                hint = 'export the task as "CVAT for images 1.1"'
                raise AnnotationsError(f"{shown}: tracks of a video, whose frames have no names; {hint}")
    except ParseError:
        read_xml(file, shown)  # says where
        raise
    except DefusedXmlException:
        raise AnnotationsError(f"{shown}: declares entities, which annotations never need; take them out") from None
    except OSError as error:
        raise AnnotationsError(f"{shown}: cannot be read: {error.strerror}") from None


def _declare(label: Element, shown: str, classes: list[str]) -> None:
    name = text_of(label, "name")
    if name and class_name(name, shown) not in classes:
        classes.append(class_name(name, shown))


def _image(source: Source, folder: ImageFolder, element: Element, place: str) -> Iterator[AnnotatedImage]:
    written = element.get("name", "")
    try:
        file = folder.find(written)
    except ImageNotFound as missing:
        source.findings.lose("image", "that cannot be found", f"{place}: {missing}")
        return
    place = f"{place} ({written})"
    objects = tuple(
        each
        for number_, shape in enumerate(element, 1)
        if (each := _object(source.findings, shape, f"{place}: {shape.tag} {number_}")) is not None
    )
    size = positive_size(element.get("width"), element.get("height"))
    split = split_of(element.get("subset", ""))
    yield AnnotatedImage(source.name_of(file), file, place, size, objects, split=split)


def _object(findings: Findings, shape: Element, place: str) -> AnnotatedObject | None:
    """A box, or the box around an outline; None of what has no area: points, tags, skeletons."""
    if shape.tag == "box":
        box = _box(findings, shape, place)
    elif shape.tag in _OUTLINES or shape.tag == "mask":
        box = _around(shape, place)
        findings.add("repaired", "object", OUTLINE, place)
    else:
        if shape.tag not in ("tag", "attribute"):
            findings.add("skipped", "object", "of no area: a point, a line, a mask", place)
        return None
    return AnnotatedObject(class_name(shape.get("label"), place), box, place)


def _box(findings: Findings, shape: Element, place: str) -> Box:
    xmin, ymin, xmax, ymax = (number(shape.get(side), place, side) for side in _SIDES)
    box = (xmin, ymin, xmax, ymax)
    if degrees := number(shape.get("rotation", "0"), place, "rotation"):
        findings.add("repaired", "object", OUTLINE, place)
        return rotated(box, degrees)
    return box


def _around(shape: Element, place: str) -> Box:
    if shape.tag == "ellipse":
        x, y, across, down = (number(shape.get(name), place, name) for name in ("cx", "cy", "rx", "ry"))
        return x - across, y - down, x + across, y + down
    if shape.tag == "mask":
        x, y, width, height = (number(shape.get(name), place, name) for name in ("left", "top", "width", "height"))
        return x, y, x + width, y + height
    pairs = [pair.split(",") for pair in (shape.get("points") or "").split(";")]
    if any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004
        raise AnnotationsError(f"{place}: points is {shape.get('points')!r}; write x,y;x,y;x,y")
    return hull([(number(x, place, "x"), number(y, place, "y")) for x, y in pairs])
