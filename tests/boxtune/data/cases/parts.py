"""What the cases of annotations are made of: painted pictures, files of each format, words for outcomes, a check.

Every object is a filled rectangle of its class's colour on a plain ground, drawn where its box is in the image *as
seen*. So a box can be judged by the pixels under it, whatever was done to the image on the way into a record.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw

Size = tuple[int, int]
Colour = tuple[int, int, int]
Thing = tuple[str, float, float, float, float]
Side = float | str
Fields = dict[str, Any]
NO_FLAGS = "<truncated>0</truncated><difficult>0</difficult>"
GROUND = (70, 80, 90)
COLOURS = {
    "cup": (220, 40, 40),
    "ball": (40, 200, 60),
    "box": (60, 90, 240),
    "van": (230, 200, 30),
    "mast": (200, 60, 210),
}
# EXIF orientation -> what turns the image as seen into the pixels that the file stores.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


class Cases(dict[str, Callable[[Path], None]]):
    """What writes each case into a folder, by its name."""

    def case(self, function: Callable[[Path], None]) -> Callable[[Path], None]:
        """One more, called as the function is."""
        self[function.__name__.replace("_", "-")] = function
        return function


# --- pictures ---------------------------------------------------------------------------------------------------


def picture(size: Size, objects: Iterable[Thing] = (), mode: str = "RGB", ground: Colour = GROUND) -> Image.Image:
    """An image with OBJECTS painted: [class, x1, y1, x2, y2] in pixels, edges, the right and lower one outside."""
    image = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(image)
    for name, x1, y1, x2, y2 in objects:
        draw.rectangle([round(x1), round(y1), round(x2) - 1, round(y2) - 1], fill=COLOURS[name])
    return image if mode == "RGB" else image.convert(mode)


def save(path: Path, image: Image.Image, orientation: int | None = None, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if orientation:
        image = image.transpose(STORED[orientation])
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    form = options.pop("format", None) or {".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF"}.get(path.suffix.lower())
    if form == "JPEG":
        options = {"quality": 95, "subsampling": 0} | options
    image.save(path, form, **options)


def paint(path: Path, size: Size, objects: Iterable[Thing] = (), **options: Any) -> None:
    save(path, picture(size, objects), **options)


def stored_box(box: Sequence[float], size: Size, orientation: int) -> Sequence[float]:
    """BOX of the image as seen, SIZE big, in the pixels that a file with this EXIF orientation stores."""
    x1, y1, x2, y2 = box
    w, h = size
    corners = {
        2: (w - x2, y1, w - x1, y2),
        3: (w - x2, h - y2, w - x1, h - y1),
        4: (x1, h - y2, x2, h - y1),
        5: (y1, x1, y2, x2),
        6: (y1, w - x2, y2, w - x1),
        7: (h - y2, w - x2, h - y1, w - x1),
        8: (h - y2, x1, h - y1, x2),
    }
    return corners[orientation]


# --- annotation files -------------------------------------------------------------------------------------------


def write(path: Path, text: str, encoding: str = "utf-8", newline: str = "\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.replace("\n", newline).encode(encoding))


def coco_image(number: int, file_name: str, size: Size) -> Fields:
    return {"id": number, "file_name": file_name, "width": size[0], "height": size[1]}


def coco_object(
    number: int, image: int, category: int, x1: float, y1: float, x2: float, y2: float, **fields: Any
) -> Fields:
    bbox = [x1, y1, x2 - x1, y2 - y1]
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": bbox,
        "area": bbox[2] * bbox[3],
        "iscrowd": 0,
        **fields,
    }


def categories(ids: dict[str, int], **fields: Any) -> list[Fields]:
    return [{"id": number, "name": name, "supercategory": "thing", **fields} for name, number in ids.items()]


def coco(
    path: Path,
    images: list[Fields],
    objects: list[Fields],
    cats: list[Fields],
    encoding: str = "utf-8",
    newline: str = "\n",
    **more: Any,
) -> None:
    text = json.dumps(
        {"images": images, "annotations": objects, "categories": cats, **more}, indent=1, ensure_ascii=False
    )
    write(path, text + "\n", encoding, newline)


def voc_object(
    name: str, x1: Side, y1: Side, x2: Side, y2: Side, flags: str = NO_FLAGS, before: str = "", order: str = "xyXY"
) -> str:
    sides = {"x": f"<xmin>{x1}</xmin>", "y": f"<ymin>{y1}</ymin>", "X": f"<xmax>{x2}</xmax>", "Y": f"<ymax>{y2}</ymax>"}
    return (
        f"  <object>\n    <name>{escape(name)}</name><pose>Unspecified</pose>{flags}{before}\n"
        f"    <bndbox>{''.join(sides[side] for side in order)}</bndbox>\n  </object>\n"
    )


def voc(
    path: Path,
    filename: str | None,
    size: Size | None,
    objects: Iterable[str] = (),
    database: str = "Unknown",
    top: str = "",
    encoding: str = "utf-8",
    **more: Any,
) -> None:
    sized = (
        "" if size is None else (f"  <size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>\n")
    )
    named = "" if filename is None else f"  <filename>{escape(filename)}</filename>\n"
    write(
        path,
        f"{top}<annotation>\n  <folder>images</folder>\n{named}"
        f"  <source><database>{database}</database></source>\n{sized}  <segmented>0</segmented>\n"
        f"{''.join(objects)}</annotation>\n",
        encoding,
        **more,
    )


def yolo_row(number: int, size: Size, x1: float, y1: float, x2: float, y2: float) -> str:
    w, h = size
    return f"{number} {(x1 + x2) / 2 / w:.6f} {(y1 + y2) / 2 / h:.6f} {(x2 - x1) / w:.6f} {(y2 - y1) / h:.6f}"


def yolo_corners(number: int, size: Size, *points: tuple[float, float]) -> str:
    return f"{number} " + " ".join(f"{x / size[0]:.6f} {y / size[1]:.6f}" for x, y in points)


def rle(size: Size, box: Sequence[float]) -> Fields:
    """COCO's uncompressed RLE of a filled box: runs down the columns, ground first."""
    w, h = size
    x1, y1, x2, y2 = box
    mask = [int(x1 <= x < x2 and y1 <= y < y2) for x in range(w) for y in range(h)]
    counts, value, run = [], 0, 0
    for pixel in mask:
        if pixel != value:
            counts.append(run)
            value, run = pixel, 0
        run += 1
    return {"size": [h, w], "counts": [*counts, run]}


# --- outcomes ---------------------------------------------------------------------------------------------------


def image(size: Size, *boxes: Thing, **more: Any) -> Fields:
    return {"size": list(size), "boxes": [list(box) for box in boxes], **more}


def note(what: str, of: str, count: int, at: str | list[str], *why: str) -> Fields:
    """Must be counted and said: what (skipped, repaired, warned), of what, how many, where, a word of the reason."""
    return {"what": what, "of": of, "count": count, "at": [at] if isinstance(at, str) else list(at), "why": list(why)}


def ok(
    given: Fields,
    kind: str,
    seen: str,
    classes: Iterable[str],
    images: Fields,
    notes: Iterable[Fields] = (),
    **more: Any,
) -> Fields:
    form = given.pop("format")
    if form in ("voc", "csv"):  # they have no list of classes
        more["any_order"] = True
    return {
        "outcome": "ok",
        "format": form,
        "given": given,
        "kind": kind,
        "seen": seen,
        "classes": list(classes),
        "images": images,
        "notes": list(notes),
        **more,
    }


def refused(file: str, at: str | list[str], *why: str) -> Fields:
    return {"file": file, "at": [at] if isinstance(at, str) else list(at), "why": list(why)}


def error(given: Fields, kind: str, seen: str, file: str, at: str | list[str], *why: str, **more: Any) -> Fields:
    return {
        "outcome": "error",
        "format": given.pop("format"),
        "given": given,
        "kind": kind,
        "seen": seen,
        "error": refused(file, at, *why),
        **more,
    }


def given_coco(annotations: str = "annotations.json", images: str = "images", **more: Any) -> Fields:
    return {"format": "coco", "annotations": annotations, "images": images, **more}


def given_voc(annotations: str = "annotations", images: str = "images", **more: Any) -> Fields:
    return {"format": "voc", "annotations": annotations, "images": images, **more}


def given_yolo(data: str = "data.yaml", **more: Any) -> Fields:
    return {"format": "yolo", "data": data, **more}


# --- the check --------------------------------------------------------------------------------------------------


def colour_near(pixel: Colour, colour: Colour, tolerance: int) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, colour, strict=True))


def misplaced(picture_as_seen: Image.Image, entry: Fields) -> list[str]:
    """What the boxes of ENTRY say wrongly of an image as seen (upright, RGB): [] when each lies on its object."""
    seen = picture_as_seen.convert("RGB")
    wrong = [] if list(seen.size) == entry["size"] else [f"size {seen.size}, not {entry['size']}"]
    for name, *box in entry["boxes"] if entry.get("painted", True) else []:
        colour = entry.get("inside") or COLOURS[entry.get("colours", {}).get(name, name)]
        x1, y1, x2, y2 = (round(side) for side in box)
        inner = [(x1 + 1, y1 + 1), (x2 - 2, y2 - 2), ((x1 + x2) // 2, (y1 + y2) // 2)]
        outer = [(x1 - 2, (y1 + y2) // 2), (x2 + 1, (y1 + y2) // 2), ((x1 + x2) // 2, y1 - 2), ((x1 + x2) // 2, y2 + 1)]
        outer = [(x, y) for x, y in outer if 0 <= x < seen.width and 0 <= y < seen.height]
        if not all(colour_near(seen.getpixel(at), colour, 24) for at in inner):
            wrong.append(f"{name} is not in {box}")
        elif any(colour_near(seen.getpixel(at), colour, 24) for at in outer):
            wrong.append(f"{name} reaches out of {box}")
    return wrong
