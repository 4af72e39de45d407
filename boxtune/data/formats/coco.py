"""COCO's JSON: one file or one a split; images, annotations and categories as three lists.

https://cocodataset.org/#format-data
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Annotations, Box, hull, rotated
from boxtune.data.formats.joining import ObjectsByImage
from boxtune.data.formats.json_files import items, top
from boxtune.data.formats.source import (
    OUTLINE,
    Fields,
    Source,
    class_name,
    fields,
    listed,
    number,
    positive_size,
    says_yes,
    split_of,
)
from boxtune.data.image_folder import ImageFolder, ImageNotFound, is_foreign
from boxtune.errors import AnnotationsError

NAME = "COCO"
_LISTS = ("images", "annotations", "categories")
_POLYGON_NUMBERS = 6  # of three points


def read(source: Source) -> Annotations:
    """Every image of every file, with boxes in pixels."""
    found = Annotations(NAME, files_of(source.annotations), iter(()), [])
    return Annotations(NAME, found.files, _images(source, found), found.classes)


def files_of(annotations: Path) -> list[Path]:
    """The file itself, or those of a folder: COCO's `instances_*.json`, Roboflow's `SPLIT/_annotations.coco.json`."""
    if annotations.is_file():
        return [annotations]
    found = [
        file
        for pattern in ("*.json", "annotations/*.json", "*/_annotations.coco.json", "*/annotations.json")
        for file in sorted(annotations.glob(pattern))
        if not is_foreign(file.name)
    ]
    instances = [file for file in found if file.name.startswith("instances_")]
    return instances or list(dict.fromkeys(found))


def _images(source: Source, found: Annotations) -> Iterator[AnnotatedImage]:
    named: dict[Path, tuple[ImageFolder, set[Path]]] = {}  # by folder of images, which several files may share
    for path in found.files:
        file = _File(source, path, found.classes, len(found.files) > 1)
        _, names = named.setdefault(file.folder.root, (file.folder, set()))
        for image in file.images():
            names.add(image.file)
            yield image
    for folder, names in named.values():
        source.say_unnamed(folder, names)


class _File:
    """One file, read three times as a stream: categories, annotations, images."""

    def __init__(self, source: Source, file: Path, classes: list[str], one_of_several: bool) -> None:
        self._source = source
        self._file = file
        self._shown = source.shown(file)
        self._classes = classes
        self._several = one_of_several or file.stem.startswith("instances_")
        self._split = (split_of(file.stem) or split_of(file.parent.name)) if one_of_several else ""
        self.folder = self._images_folder()
        self._seen: set[str] = set()

    def _images_folder(self) -> ImageFolder:
        """The folder of this split where there is one, `train2017` of `instances_train2017.json`; else of all."""
        name = self._file.stem.removeprefix("instances_")
        names = dict.fromkeys((name, self._file.parent.name, split_of(name)))
        bases = [self._source.images] if self._source.images else [self._file.parent, self._file.parent.parent]
        for base in bases:
            for folder in (base / each / other for each in ("", "images") for other in names if other):
                if self._several and folder.is_dir() and folder != self._file.parent:
                    return ImageFolder(folder)
        return self._source.folder(self._file.parent)

    def images(self) -> Iterator[AnnotatedImage]:
        """Every image with its objects."""
        self._look()
        categories = self._categories()
        objects = ObjectsByImage(self._source.scratch)
        try:
            objects.add_all(self._objects({key: name for key, (name, _) in categories.items()}))
            self._declare(categories)
            for place, key, name, size in self._listed():
                if known := objects.introduce(key, place):
                    raise AnnotationsError(f"{place}: id {key} is also that of {known}; ids are of one image each")
                image = AnnotatedImage(name, self._file, place, size, objects.of(key), split=self._split)
                yield from self._image(name, image)
            for key, stranger in objects.strangers():
                self._source.findings.lose("object", "whose image_id no image has", f"{stranger.place}: no image {key}")
        finally:
            objects.close()

    def _look(self) -> None:
        kind, _ = top(self._file, self._shown, _LISTS)
        if kind == "array":
            raise AnnotationsError(
                f"{self._shown}: line 1: a list, as a detector's results are, no annotations; COCO's are an object "
                "with images, annotations and categories"
            )

    def _categories(self) -> dict[str, tuple[str, str]]:
        """(name, supercategory) by id, in the order of the ids."""
        found: dict[str, tuple[str, str]] = {}
        for place, each in self._entries("categories", "category"):
            key = _key(each, "id", place)
            name = class_name(each.get("name"), place)
            if key in found and found[key][0] != name:
                raise AnnotationsError(
                    f'{place}: id {key} is "{found[key][0]}" and "{name}"; ids are of one class each'
                )
            if name in (known for other, (known, _) in found.items() if other != key):
                self._source.findings.add("repaired", "class", "with two ids, taken as one", f"{place}: {name}")
            found[key] = (name, " ".join(str(each.get("supercategory") or "").split()))
        if not found:
            self._say_what_is_missing()
        return dict(sorted(found.items(), key=lambda item: _order(item[0])))

    def _say_what_is_missing(self) -> None:
        keys = top(self._file, self._shown)[1]
        missing = [name for name in _LISTS if name not in keys] or ["category in categories"]
        raise AnnotationsError(
            f"{self._shown}: no {' and no '.join(missing)}; COCO's annotations have images, annotations and categories"
        )

    def _declare(self, categories: Mapping[str, tuple[str, str]]) -> None:
        """Classes in the order of their ids; a name that only groups the others and has no object is none."""
        groups = {group for name, group in categories.values() if group != name}
        for name, _ in categories.values():
            if name in groups and name not in self._seen:
                why = "with no object that other classes name as their supercategory: a grouping"
                self._source.findings.add("skipped", "class", why, f"{self._shown}: {name}")
            elif name not in self._classes:
                self._classes.append(name)

    def _objects(self, names: Mapping[str, str]) -> Iterator[tuple[str, AnnotatedObject]]:
        for at, each in self._entries("annotations", "annotation"):
            place = at + f" (id {each.get('id')})"
            category = _key(each, "category_id", place)
            if category not in names:
                known = ", ".join(list(names)[:10])
                raise AnnotationsError(f"{place}: category_id {category} is not in categories, which has {known}")
            self._seen.add(names[category])
            box = _box(each, place)
            if box is None:
                self._source.findings.lose("object", "without a box or an outline", place)
                continue
            box = self._turned(box, each, place)
            yield (
                _key(each, "image_id", place),
                AnnotatedObject(names[category], box, place, is_crowd=says_yes(each.get("iscrowd"))),
            )

    def _turned(self, box: Box, annotation: Fields, place: str) -> Box:
        """CVAT writes a rotated box upright, with its angle beside it."""
        attributes = annotation.get("attributes")
        degrees = attributes.get("rotation") if isinstance(attributes, dict) else None
        if not degrees:
            return box
        self._source.findings.add("repaired", "object", OUTLINE, place)
        return rotated(box, number(degrees, place, "rotation"))

    def _listed(self) -> Iterator[tuple[str, str, str, tuple[int, int] | None]]:
        """(place, id, file's name, size) of every image."""
        for place, each in self._entries("images", "image"):
            key, name = _key(each, "id", place), each.get("file_name")
            if not isinstance(name, str) or not name.strip():
                raise AnnotationsError(f"{place} (id {key}): file_name is {name!r}; write the file's name")
            yield f"{place} ({name})", key, name, positive_size(each.get("width"), each.get("height"))

    def _image(self, written: str, image: AnnotatedImage) -> Iterator[AnnotatedImage]:
        """The image with its file, where there is one."""
        try:
            file = self.folder.find(written)
        except ImageNotFound as missing:
            self._source.findings.lose("image", "that cannot be found", f"{image.place}: {missing}")
            return
        yield replace(image, name=self._source.name_of(file), file=file)

    def _entries(self, name: str, what: str) -> Iterator[tuple[str, Fields]]:
        """(place, fields) of everything in one of the lists."""
        for index, each in enumerate(items(self._file, self._shown, f"{name}.item")):
            place = f"{self._shown}: {name}[{index}]"
            yield place, fields(each, place, what)


def _box(annotation: Fields, place: str) -> Box | None:
    """Its bbox (x, y, width, height), or else the box around its polygons or mask; None where it has neither."""
    bbox, outline = annotation.get("bbox"), annotation.get("segmentation")
    if bbox and (not isinstance(bbox, list) or len(bbox) != 4):  # noqa: PLR2004
        raise AnnotationsError(f"{place}: bbox is {str(bbox)[:60]}; write x, y, width and height")
    x, y, width, height = (number(side, place, "a number of bbox") for side in listed(bbox) or [0] * 4)
    if outline and not (width and height):
        return _around(outline, place)
    if not bbox:
        if "bbox" not in annotation and "segmentation" not in annotation:
            raise AnnotationsError(f"{place}: bbox is missing; write x, y, width and height")
        return None
    box = (x, y, x + width, y + height)
    for side in box:  # the sum of two numbers may be none
        number(side, place, "a side of bbox")
    return box


def _around(outline: object, place: str) -> Box | None:
    if isinstance(outline, dict):
        return _around_mask(outline, place)
    polygons = [each for each in listed(outline) if isinstance(each, list)] or [listed(outline)]
    numbers = [number(each, place, "a number of segmentation") for polygon in polygons for each in polygon]
    if not numbers:
        return None
    if len(numbers) < _POLYGON_NUMBERS or len(numbers) % 2:
        raise AnnotationsError(f"{place}: neither a bbox nor a polygon of three points")
    return hull(zip(numbers[::2], numbers[1::2], strict=True))


def _around_mask(outline: Fields, place: str) -> Box:
    """Of a run-length code, compressed or not."""
    from pycocotools import mask

    size, counts = listed(outline.get("size")), outline.get("counts")
    try:
        if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):  # noqa: PLR2004
            raise ValueError(f"its size is {size}")
        encoded = mask.frPyObjects(outline, *size) if isinstance(counts, list) else outline
        x, y, width, height = (float(side) for side in mask.toBbox(encoded))
    except Exception as error:  # whatever its C code says of numbers that are no mask
        raise AnnotationsError(f"{place}: segmentation is no run-length code: {error}") from None
    return x, y, x + width, y + height


def _key(each: Fields, field: str, place: str) -> str:
    """An id as text, so that 1, 1.0 and "1" are one."""
    value = each.get(field)
    if value is None or isinstance(value, bool | list | dict):
        raise AnnotationsError(f"{place}: {field} is {value!r}; write an id")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _order(key: str) -> tuple[bool, int, str]:
    return (not key.lstrip("-").isdecimal(), int(key) if key.lstrip("-").isdecimal() else 0, key)
