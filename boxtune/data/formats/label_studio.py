"""Label Studio's JSON and JSON-MIN: a list of tasks, boxes as percentages of the image.

https://labelstud.io/guide/export
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from boxtune.data.annotations import AnnotatedImage, AnnotatedObject, Annotations, Box, hull, rotated
from boxtune.data.formats.json_files import items
from boxtune.data.formats.source import OUTLINE, Fields, Source, class_name, fields, listed, number, positive_size
from boxtune.data.image_folder import ImageFolder, ImageNotFound, files_below
from boxtune.errors import AnnotationsError

NAME = "Label Studio"
_LABELS = ("rectanglelabels", "polygonlabels", "ellipselabels", "labels")
_PERCENT = 100.0
_IMAGE_SUFFIX_PARTS = ("image", "img", "photo", "picture")


def read(source: Source) -> Annotations:
    """Every task that somebody annotated, with boxes in pixels of the size that was annotated."""
    given = source.annotations
    files = [given] if given.is_file() else files_below(given, ".json")
    images = (image for file in files for image in _images(source, file))
    return Annotations(NAME, files, images, [], written="corner and size")


def _images(source: Source, file: Path) -> Iterator[AnnotatedImage]:
    shown = source.shown(file)
    folder = source.folder(file.parent)
    for index, task in enumerate(items(file, shown, "item")):
        place = f"{shown}: [{index}]"
        if not isinstance(task, dict):
            raise AnnotationsError(f"{place}: no task, but {str(task)[:40]!r}")
        place += f" (task {task.get('id')})"
        results = _results(source, task, place)
        if results is None:
            source.findings.add("skipped", "image", "without an annotation, so perhaps not annotated", place)
            continue
        yield from _image(source, folder, task, results, place)


def _results(source: Source, task: Fields, place: str) -> Sequence[Fields] | None:
    """What one annotator drew: the last annotation that was not cancelled; None where there is none."""
    if "annotations" not in task and "completions" not in task:  # JSON-MIN: the shapes stand in the task itself
        shapes = next((listed(value) for value in task.values() if _are_shapes(value)), None)
        if shapes is None:
            return [] if "annotation_id" in task else None
        return [fields(each, place, "shape") for each in shapes]
    given = listed(task.get("annotations")) or listed(task.get("completions"))
    kept = [each for each in given if isinstance(each, dict) and not each.get("was_cancelled")]
    if len(kept) > 1:
        why = "annotated more than once, of which the last was taken"
        source.findings.add("warned", "image", why, place)
    return [fields(each, place, "result") for each in listed(kept[-1].get("result"))] if kept else None


def _are_shapes(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "original_width" in value[0]


def _image(
    source: Source, folder: ImageFolder, task: Fields, results: Sequence[Fields], place: str
) -> Iterator[AnnotatedImage]:
    written = _image_path(task)
    if not written:
        raise AnnotationsError(f"{place}: names no image")
    try:
        file = _found(folder, written)
    except ImageNotFound as missing:
        source.findings.lose("image", "that cannot be found", f"{place}: {missing}")
        return
    size: tuple[int, int] | None = None
    objects = []
    for number_, result in enumerate(results):
        shape = fields(result.get("value", result), f"{place}: result {number_}", "shape")
        label = next((each for name in _LABELS if (each := shape.get(name))), None)
        if label is None:
            continue  # a choice, a text, a relation: nothing drawn
        own = positive_size(result.get("original_width"), result.get("original_height"))
        if own is None:
            raise AnnotationsError(f"{place}: result {number_} has no original_width and original_height")
        size = own
        where = f"{place}: result {number_}"
        box = _box(source, shape, own, where)
        if box is not None:
            objects.append(
                AnnotatedObject(class_name(label[0] if isinstance(label, list) else label, where), box, where)
            )
    yield AnnotatedImage(source.name_of(file), file, f"{place} ({written})", size, tuple(objects))


def _image_path(task: Fields) -> str:
    """The image's address: of the data's field that is called so, or of the first that ends like an image."""
    data = task.get("data", task)
    texts = {key: value for key, value in data.items() if isinstance(value, str)} if isinstance(data, dict) else {}
    named = next((value for key, value in texts.items() if key.lower() in _IMAGE_SUFFIX_PARTS), "")
    return named or next((value for value in texts.values() if "/" in value or "." in value), "")


def _found(folder: ImageFolder, written: str) -> Path:
    """The file of an address: `/data/upload/1/1f0c-a%20b.jpg`, `/data/local-files/?d=photos/a.jpg`, `s3://…/a.jpg`.

    An upload's name has eight digits and a dash of Label Studio's own before it, which the file may lack.
    """
    try:
        address = urlsplit(written)
    except ValueError:
        raise ImageNotFound(f"{written}: no address of an image") from None
    local = parse_qs(address.query).get("d")
    path = local[0] if local else unquote(address.path or written)
    try:
        return folder.find(path)
    except ImageNotFound as missing:
        name = PurePosixPath(path.replace("\\", "/")).name
        prefix, dash, rest = name.partition("-")
        if not dash or not rest or not prefix.isalnum():
            raise
        try:
            return folder.find(rest)
        except ImageNotFound:
            raise missing from None


def _box(source: Source, shape: Fields, size: tuple[int, int], place: str) -> Box | None:
    """A rectangle, or the box around another outline; None of what has no outline, such as a brush's mask."""
    across, down = size[0] / _PERCENT, size[1] / _PERCENT
    if shape.get("points"):
        source.findings.add("repaired", "object", OUTLINE, place)
        pairs = [listed(point) for point in listed(shape["points"])]
        if any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004
            raise AnnotationsError(f"{place}: points is {str(shape['points'])[:40]}; write [[x, y], …]")
        return hull([(number(x, place, "x") * across, number(y, place, "y") * down) for x, y in pairs])
    if "radiusX" in shape:
        source.findings.add("repaired", "object", OUTLINE, place)
        x, y, rx, ry = (number(shape.get(name), place, name) for name in ("x", "y", "radiusX", "radiusY"))
        return (x - rx) * across, (y - ry) * down, (x + rx) * across, (y + ry) * down
    if "width" not in shape:
        source.findings.lose("object", "without a box or an outline, such as a brush's mask", place)
        return None
    x, y, width, height = (number(shape.get(name), place, name) for name in ("x", "y", "width", "height"))
    left, top = x * across, y * down
    box = (left, top, left + width * across, top + height * down)
    if degrees := number(shape.get("rotation") or 0, place, "rotation"):
        source.findings.add("repaired", "object", OUTLINE, place)
        return rotated(box, degrees, (left, top))  # about its upper left corner
    return box
