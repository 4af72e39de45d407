"""Pascal VOC folders as people have them, each with one kind of fault or habit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.boxtune.data.cases.parts import (
    Cases,
    error,
    given_voc,
    image,
    note,
    ok,
    paint,
    refused,
    voc,
    voc_object,
)
from tests.boxtune.data.cases.things import (
    BALL,
    BOX,
    CUP,
    SIZE,
    TALL,
)

CASES = Cases()
case = CASES.case


@case
def voc_floats(here: Path) -> None:
    things: list[tuple[str, Any, Any, Any, Any]] = [
        ("cup", 10.25, 8.5, 30.75, 28),
        ("ball", "50.0", "20.000000001", "80", "4.4e1"),
    ]
    paint(here / "images/a.png", SIZE, [things[0], BALL])
    voc(here / "annotations/a.xml", "a.png", SIZE, [voc_object(*thing) for thing in things])


@case
def voc_one_based(here: Path) -> None:
    paint(here / "JPEGImages/000001.jpg", SIZE, [CUP])
    paint(here / "JPEGImages/000002.jpg", SIZE, [("ball", 0, 0, 96, 64)])
    voc(here / "Annotations/000001.xml", "000001.jpg", SIZE, [voc_object("cup", 11, 9, 30, 28)], "The VOC2007 Database")
    voc(here / "Annotations/000002.xml", "000002.jpg", SIZE, [voc_object("ball", 1, 1, 96, 64)], "The VOC2007 Database")


@case
def voc_zero_based(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [("cup", 0, 0, 20, 20)])
    paint(here / "images/b.png", SIZE, [("ball", 0, 0, 96, 64)])
    voc(here / "annotations/a.xml", "a.png", SIZE, [voc_object("cup", 0, 0, 20, 20)])
    voc(here / "annotations/b.xml", "b.png", SIZE, [voc_object("ball", 0, 0, 96, 64)])


@case
def voc_swapped(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP, BALL])
    voc(here / "annotations/a.xml", "a.png", SIZE, [voc_object(*CUP), voc_object("ball", 80, 44, 50, 20)])


@case
def voc_no_size(here: Path) -> None:
    for name, size in {"a": None, "b": (0, 0), "c": TALL}.items():
        paint(here / f"images/{name}.png", SIZE, [CUP, BALL])
        voc(here / f"annotations/{name}.xml", f"{name}.png", size, [voc_object(*CUP), voc_object(*BALL)])


@case
def voc_file_names(here: Path) -> None:
    names = {"a": "a", "b": "b.jpg", "c": "C:\\photos\\cups\\c.png", "d": "IMG_0042.png", "e.rgb": "e.rgb.png"}
    for stem, filename in names.items():
        paint(here / f"images/{stem}.png", SIZE, [CUP])
        voc(here / f"annotations/{stem}.xml", filename, SIZE, [voc_object(*CUP)])


@case
def voc_parts(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP, BALL])
    part = (
        "\n    <part><name>handle</name><bndbox><xmin>28</xmin><ymin>12</ymin>"
        "<xmax>34</xmax><ymax>20</ymax></bndbox></part>"
    )
    voc(
        here / "annotations/a.xml",
        "a.png",
        SIZE,
        [voc_object(*CUP, before=part, order="XxYy"), voc_object(*BALL, order="yxYX")],
    )


@case
def voc_flags(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP, BALL, BOX])
    voc(
        here / "annotations/a.xml",
        "a.png",
        SIZE,
        [
            voc_object(*CUP, flags="<difficult>1</difficult>"),
            voc_object(*BALL, flags=""),
            voc_object(*BOX, flags="<truncated>1</truncated><difficult></difficult>"),
        ],
    )


@case
def voc_broken(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP])
    paint(here / "images/b.png", SIZE, [CUP])
    voc(here / "annotations/a.xml", "a.png", SIZE, [voc_object(*CUP)])
    voc(here / "annotations/b.xml", "b.png", SIZE, [voc_object(*CUP).replace("cup", "cup & saucer")])


@case
def voc_entities(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP])
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    top = f'<?xml version="1.0"?>\n<!DOCTYPE annotation [<!ENTITY e0 "cup">{levels}]>\n'
    voc(here / "annotations/a.xml", "a.png", SIZE, [voc_object(*CUP).replace("cup", "&e8;")], top=top)


@case
def voc_unlabelled(here: Path) -> None:
    for name, things in {"a": [CUP], "b": [], "c": [BALL]}.items():
        paint(here / f"images/{name}.png", SIZE, things)
    voc(here / "annotations/a.xml", "a.png", SIZE, [voc_object(*CUP)])
    voc(here / "annotations/b.xml", "b.png", SIZE)
    voc(here / "annotations/d.xml", "d.png", SIZE, [voc_object(*CUP)])


# What is right: ok(given, kind, where it was met, classes in the order of their ids from 1, {image: image(size as seen,
# boxes as seen…)}, notes) or error(given, kind, where it was met, file, place: any of, words: any of).

NAMES = ["cup", "ball"]
AB = {"images/a.png": image(SIZE, CUP, BALL)}

EXPECTED = {
    # Never truncated to whole pixels.
    "voc-floats": ok(
        given_voc(),
        "coordinates with fractions",
        "models#656, labelImg#422, darwin-py#137",
        NAMES,
        {"images/a.png": image(SIZE, ("cup", 10.25, 8.5, 30.75, 28), BALL)},
    ),
    # The challenge's own files count pixels from 1 and include the last; the API's converter takes them as they are.
    # So a pixel more or less is right, outside the image is not.
    "voc-one-based": ok(
        given_voc("Annotations", "JPEGImages"),
        "pixels counted from 1, as the VOC challenge did",
        "cocoapi#5, maskrcnn-benchmark#210",
        NAMES,
        {"JPEGImages/000001.jpg": image(SIZE, CUP), "JPEGImages/000002.jpg": image(SIZE, ("ball", 0, 0, 96, 64))},
        tolerance=1,
    ),
    # LabelImg, CVAT and Roboflow write edges from 0: nothing is subtracted.
    "voc-zero-based": ok(
        given_voc(),
        "edges from 0 to the width",
        "PaddleDetection#2326, tf-faster-rcnn#58",
        NAMES,
        {"images/a.png": image(SIZE, ("cup", 0, 0, 20, 20)), "images/b.png": image(SIZE, ("ball", 0, 0, 96, 64))},
    ),
    "voc-swapped": ok(
        given_voc(),
        "xmin > xmax: drawn from the lower right",
        "models#8595",
        NAMES,
        AB,
        [note("repaired", "object", 1, ["a.xml"], "swap", "order", "greater", "xmin")],
    ),
    # The image knows its size; the third file has width and height the wrong way round.
    "voc-no-size": ok(
        given_voc(),
        "<size> missing, 0, or turned",
        "labelImg#59, #160, #309, models#5474",
        NAMES,
        {f"images/{name}.png": image(SIZE, CUP, BALL) for name in "abc"},
        [note("warned", "image", 1, ["c.xml", "c.png"], "size", "64")],
        or_error=refused("annotations/c.xml", ["size", "line 5", ":5"], "size"),
    ),
    # <filename> is what the tool was told once: the image of the same stem is meant.
    "voc-file-names": ok(
        given_voc(),
        "<filename> without or with another extension, with a path, stale; dots in the stem",
        "label-studio-converter#106, cvat#54, X-AnyLabeling#1023, cvat#6319",
        ["cup"],
        {f"images/{stem}.png": image(SIZE, CUP) for stem in ["a", "b", "c", "d", "e.rgb"]},
    ),
    "voc-parts": ok(
        given_voc(),
        "an object's parts have boxes of their own; sides in any order",
        "fast-rcnn#107, ssd_keras#124, labelImg#34",
        NAMES,
        AB,
    ),
    "voc-flags": ok(
        given_voc(),
        "difficult and truncated set, missing, empty",
        "create_pascal_tf_record.py",
        ["cup", "ball", "box"],
        {"images/a.png": image(SIZE, CUP, BALL, BOX, difficult=[1, 0, 0], truncated=[0, 0, 1])},
    ),
    "voc-broken": error(
        given_voc(),
        "XML that is not well-formed",
        "fiftyone#1777",
        "annotations/b.xml",
        ["line 8", ":8", "8,"],
        "well-formed",
        "token",
        "XML",
        "&",
    ),
    "voc-entities": error(
        given_voc(),
        "entities that grow to 300 MB",
        "libexpat#466, ecgtizer#9",
        "annotations/a.xml",
        ["", "line 2", ":2"],
        "entit",
        "DOCTYPE",
        "DTD",
    ),
    # No object in an XML file: somebody looked. No XML file: perhaps nobody did.
    "voc-unlabelled": ok(
        given_voc(),
        "XML without objects, image without XML, XML without image",
        "coco-annotator#312",
        ["cup"],
        {"images/a.png": image(SIZE, CUP), "images/b.png": image(SIZE)},
        [
            note("skipped", "image", 1, "c.png", "no annotation", "without", "unlabelled", "no XML", "not annotated"),
            note("skipped", "file", 1, "d.xml", "no image", "image", "not found", "missing"),
        ],
        or_error=refused("annotations/d.xml", ["", "d.png"], "image", "not found", "missing"),
        absent=["images/c.png"],
    ),
}
