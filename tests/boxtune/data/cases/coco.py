"""COCO files as people have them, each with one kind of fault or habit."""

from __future__ import annotations

from pathlib import Path

from tests.boxtune.data.cases.parts import (
    Cases,
    Fields,
    categories,
    coco,
    coco_image,
    coco_object,
    error,
    given_coco,
    image,
    note,
    ok,
    paint,
    refused,
    rle,
    stored_box,
    write,
)
from tests.boxtune.data.cases.things import (
    BALL,
    BOX,
    CUP,
    EXIF_BALL,
    EXIF_CUP,
    SIZE,
    TALL,
)

CASES = Cases()
case = CASES.case


@case
def coco_id_gaps(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP, BALL])
    paint(here / "images/b.png", SIZE, [BALL])
    coco(
        here / "annotations.json",
        [coco_image(10, "a.png", SIZE), coco_image(20, "b.png", SIZE)],
        [coco_object(1, 10, 3, *CUP[1:]), coco_object(2, 20, 7, *BALL[1:]), coco_object(3, 10, 7, *BALL[1:])],
        categories({"cup": 3, "ball": 7, "box": 12}),
    )


@case
def coco_ids_from_zero(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP, BALL])
    coco(
        here / "annotations.json",
        [coco_image(0, "a.png", SIZE)],
        [coco_object(0, 0, 0, *CUP[1:]), coco_object(1, 0, 1, *BALL[1:])],
        categories({"cup": 0, "ball": 1}),
    )


@case
def coco_roboflow_root(here: Path) -> None:
    paint(here / "train/a_png.rf.1f0c.jpg", SIZE, [CUP, BALL])
    cats = [{"id": 0, "name": "tableware", "supercategory": "none"}]
    cats += [
        {"id": number, "name": name, "supercategory": "tableware"} for name, number in {"ball": 1, "cup": 2}.items()
    ]
    coco(
        here / "train/_annotations.coco.json",
        [coco_image(0, "a_png.rf.1f0c.jpg", SIZE)],
        [coco_object(0, 0, 2, *CUP[1:]), coco_object(1, 0, 1, *BALL[1:])],
        cats,
    )


@case
def coco_exif_as_seen(here: Path) -> None:
    images, objects = list[Fields](), list[Fields]()
    for number, (name, orientation) in enumerate({"a.jpg": 6, "b.jpg": 8, "c.jpg": 3}.items()):
        paint(here / "images" / name, TALL, [EXIF_CUP, EXIF_BALL], orientation=orientation)
        images.append(coco_image(number, name, TALL))
        objects += [
            coco_object(2 * number, number, 1, *EXIF_CUP[1:]),
            coco_object(2 * number + 1, number, 2, *EXIF_BALL[1:]),
        ]
    coco(here / "annotations.json", images, objects, categories({"cup": 1, "ball": 2}))


@case
def coco_exif_as_stored(here: Path) -> None:
    images, objects = list[Fields](), list[Fields]()
    for number, (name, orientation) in enumerate({"a.jpg": 6, "b.jpg": 8}.items()):
        paint(here / "images" / name, TALL, [EXIF_CUP, EXIF_BALL], orientation=orientation)
        images.append(coco_image(number, name, SIZE))
        objects += [
            coco_object(2 * number + which, number, which + 1, *stored_box(thing[1:], TALL, orientation))
            for which, thing in enumerate([EXIF_CUP, EXIF_BALL])
        ]
    coco(here / "annotations.json", images, objects, categories({"cup": 1, "ball": 2}))


@case
def coco_crowd(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP, BALL])
    coco(
        here / "annotations.json",
        [coco_image(1, "a.png", SIZE)],
        [
            coco_object(1, 1, 1, *CUP[1:], segmentation=[[10, 8, 30, 8, 30, 28, 10, 28]]),
            coco_object(2, 1, 2, *BALL[1:], segmentation=rle(SIZE, BALL[1:])) | {"iscrowd": 1},
        ],
        categories({"cup": 1, "ball": 2}),
    )


@case
def coco_polygon_only(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP, BALL])
    one = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "iscrowd": 0,
        "segmentation": [[10, 8, 20, 8, 30, 8, 30, 18, 30, 28, 10, 28]],
    }
    two = {
        "id": 2,
        "image_id": 1,
        "category_id": 2,
        "iscrowd": 0,
        "bbox": [],
        "segmentation": [[50, 20, 65, 20, 65, 44, 50, 44], [65, 20, 80, 20, 80, 44, 65, 44]],
    }
    coco(here / "annotations.json", [coco_image(1, "a.png", SIZE)], [one, two], categories({"cup": 1, "ball": 2}))


@case
def coco_negative_images(here: Path) -> None:
    for name, things in {"a.png": [CUP], "b.png": [], "c.png": []}.items():
        paint(here / "images" / name, SIZE, things)
    coco(
        here / "annotations.json",
        [coco_image(n, f"{c}.png", SIZE) for n, c in enumerate("abc", 1)],
        [coco_object(1, 1, 1, *CUP[1:])],
        categories({"cup": 1}),
    )


@case
def coco_no_annotations(here: Path) -> None:
    paint(here / "images/a.png", SIZE)
    coco(here / "annotations.json", [coco_image(1, "a.png", SIZE)], [], categories({"cup": 1}))


@case
def coco_unknown_image(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP])
    coco(
        here / "annotations.json",
        [coco_image(1, "a.png", SIZE)],
        [coco_object(40, 1, 1, *CUP[1:]), coco_object(41, 99, 1, *BALL[1:])],
        categories({"cup": 1}),
    )


@case
def coco_image_missing(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP])
    coco(
        here / "annotations.json",
        [coco_image(1, "a.png", SIZE), coco_image(2, "gone.png", SIZE)],
        [coco_object(1, 1, 1, *CUP[1:]), coco_object(2, 2, 1, *CUP[1:])],
        categories({"cup": 1}),
    )


@case
def coco_same_name_twice(here: Path) -> None:
    paint(here / "images/left/0001.png", SIZE, [CUP])
    paint(here / "images/right/0001.png", TALL, [EXIF_BALL])
    coco(
        here / "annotations.json",
        [coco_image(1, "left/0001.png", SIZE), coco_image(2, "right/0001.png", TALL)],
        [coco_object(1, 1, 1, *CUP[1:]), coco_object(2, 2, 2, *EXIF_BALL[1:])],
        categories({"cup": 1, "ball": 2}),
    )


@case
def coco_label_studio(here: Path) -> None:
    paint(here / "images/a b.png", SIZE, [CUP])
    paint(here / "images/1f0c-c.png", SIZE, [BALL])
    coco(
        here / "result.json",
        [coco_image(0, "images\\a b.png", SIZE), coco_image(1, "..\\..\\media\\upload\\4\\1f0c-c.png", SIZE)],
        [coco_object(0, 0, 0, *CUP[1:]), coco_object(1, 1, 1, *BALL[1:])],
        categories({"cup": 0, "ball": 1}),
    )


@case
def coco_results_list(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP])
    write(
        here / "annotations.json",
        '[{"image_id": 1, "category_id": 1, "bbox": [10, 8, 20, 20], "score": 0.91},\n'
        ' {"image_id": 1, "category_id": 1, "bbox": [12, 9, 20, 20], "score": 0.17}]\n',
    )


@case
def coco_corners(here: Path) -> None:
    images, objects = list[Fields](), list[Fields]()
    for number, name in enumerate(["a.png", "b.png"], 1):
        paint(here / "images" / name, SIZE, [CUP, BALL, BOX])
        images.append(coco_image(number, name, SIZE))
        for category, thing in enumerate([CUP, BALL, BOX], 1):
            objects.append(coco_object(len(objects) + 1, number, category, *thing[1:]) | {"bbox": list(thing[1:])})
    coco(here / "annotations.json", images, objects, categories({"cup": 1, "ball": 2, "box": 3}))


@case
def coco_over_the_edge(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [("cup", 0, 8, 20, 28), ("ball", 70, 40, 96, 64)])
    coco(
        here / "annotations.json",
        [coco_image(1, "a.png", SIZE)],
        [coco_object(7, 1, 1, -1.5, 8, 20, 28), coco_object(8, 1, 2, 70, 40, 96.4, 66)],
        categories({"cup": 1, "ball": 2}),
    )


@case
def coco_no_area(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP, BALL])
    coco(
        here / "annotations.json",
        [coco_image(1, "a.png", SIZE)],
        [
            coco_object(1, 1, 1, *CUP[1:]) | {"area": 0},
            coco_object(2, 1, 1, 40, 10, 40, 30),
            coco_object(3, 1, 2, *BALL[1:]),
            coco_object(4, 1, 2, 40, 10, 48, 10),
            coco_object(5, 1, 2, 200, 10, 220, 30),
        ],
        categories({"cup": 1, "ball": 2}),
    )


@case
def coco_other_size(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP])
    coco(
        here / "annotations.json",
        [coco_image(1, "a.png", (192, 64))],
        [coco_object(1, 1, 1, 20, 8, 60, 28)],
        categories({"cup": 1}),
    )


@case
def coco_bom(here: Path) -> None:
    paint(here / "images/Tür 1.png", SIZE, [CUP])
    coco(
        here / "annotations.json",
        [coco_image(1, "Tür 1.png", SIZE)],
        [coco_object(1, 1, 1, *CUP[1:])],
        categories({"cup": 1}),
        encoding="utf-8-sig",
        newline="\r\n",
    )


@case
def coco_spellings(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP, ("cup", 60, 8, 80, 28), BOX])
    coco(
        here / "annotations.json",
        [coco_image(1, "a.png", SIZE)],
        [coco_object(1, 1, 1, *CUP[1:]), coco_object(2, 1, 2, 60, 8, 80, 28), coco_object(3, 1, 3, *BOX[1:])],
        categories({"cup": 1, "Cup ": 2, "box": 3}),
    )


@case
def coco_unknown_category(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP, BALL])
    coco(
        here / "annotations.json",
        [coco_image(1, "a.png", SIZE)],
        [coco_object(70, 1, 1, *CUP[1:]), coco_object(71, 1, 9, *BALL[1:])],
        categories({"cup": 1}),
    )


# What is right: ok(given, kind, where it was met, classes in the order of their ids from 1, {image: image(size as seen,
# boxes as seen…)}, notes) or error(given, kind, where it was met, file, place: any of, words: any of).

NAMES = ["cup", "ball"]
AB = {"images/a.png": image(SIZE, CUP, BALL)}

EXPECTED = {
    # Ids are names of things, not positions: 1, 2, 3 in their order; a class that is declared stays.
    "coco-id-gaps": ok(
        given_coco(),
        "category ids with gaps; a class without objects",
        "supervision#169, detectron2#1731",
        ["cup", "ball", "box"],
        {"images/a.png": image(SIZE, CUP, BALL), "images/b.png": image(SIZE, BALL)},
    ),
    # 0 is the background in the API: a class that had 0 becomes 1, none is lost.
    "coco-ids-from-zero": ok(given_coco(), "category and image ids from 0", "detectron2#5097, voc2coco#9", NAMES, AB),
    # The root is named by the others as supercategory and has no object: it would be a class that is never seen.
    "coco-roboflow-root": ok(
        given_coco("train/_annotations.coco.json", "train"),
        "Roboflow's supercategory as category 0",
        "rf-detr#1303, roboflow-100-benchmark#45",
        ["ball", "cup"],
        {"train/a_png.rf.1f0c.jpg": image(SIZE, CUP, BALL)},
        [note("skipped", "class", 1, "tableware", "supercategory", "no object", "no annotation", "unused", "grouping")],
    ),
    # TensorFlow does not turn images by EXIF; annotators see them turned. The record holds upright pixels.
    "coco-exif-as-seen": ok(
        given_coco(),
        "EXIF orientation, annotated as seen (also a half turn, which no size shows)",
        "tensorflow#49834, models#1754, Yolo_mark#107",
        NAMES,
        {f"images/{name}.jpg": image(TALL, EXIF_CUP, EXIF_BALL) for name in "abc"},
    ),
    # The size in the file tells which way the annotator saw it: here as stored.
    "coco-exif-as-stored": ok(
        given_coco(),
        "EXIF orientation, annotated on the pixels as stored",
        "detectron2#788, supervision#2577",
        NAMES,
        {f"images/{name}.jpg": image(TALL, EXIF_CUP, EXIF_BALL) for name in "ab"},
    ),
    # A crowd is no object: in the record with is_crowd 1 (as create_coco_tf_record writes it), or left out and counted.
    "coco-crowd": ok(
        given_coco(),
        "iscrowd with RLE",
        "JSON2YOLO#38, ultralytics#12671",
        NAMES,
        {"images/a.png": image(SIZE, CUP, crowd=[list(BALL)])},
    ),
    "coco-polygon-only": ok(
        given_coco(), "bbox missing or empty, polygons there", "maskrcnn-benchmark#480, Weed-AI#289", NAMES, AB
    ),
    "coco-negative-images": ok(
        given_coco(),
        "images without annotations",
        "supervision#188, sahi#304",
        ["cup"],
        {"images/a.png": image(SIZE, CUP), "images/b.png": image(SIZE), "images/c.png": image(SIZE)},
    ),
    # Nothing to learn from, nothing to measure: the wrong file was given (image_info_test has none).
    "coco-no-annotations": error(
        given_coco(),
        "annotations: []",
        "cocoapi#76",
        "annotations.json",
        "annotations",
        "no annotation",
        "no object",
        "empty",
        "without",
    ),
    "coco-unknown-image": ok(
        given_coco(),
        "an annotation of an image that is not in images",
        "faster_coco_eval#87, coco-annotator#312",
        ["cup"],
        {"images/a.png": image(SIZE, CUP)},
        [note("skipped", "object", 1, ["annotations[1]", "41"], "image_id", "image 99", "no image")],
        or_error=refused("annotations.json", ["annotations[1]", "41"], "99", "image_id"),
    ),
    "coco-image-missing": ok(
        given_coco(),
        "an image that is not on disk",
        "yolact_edge#60",
        ["cup"],
        {"images/a.png": image(SIZE, CUP)},
        [
            note(
                "skipped", "image", 1, "gone.png", "not found", "missing", "no such file", "does not exist", "not there"
            )
        ],
        or_error=refused("annotations.json", "gone.png", "not found", "missing", "no such file", "does not exist"),
    ),
    # Two images, two source ids: a base name is no identity.
    "coco-same-name-twice": ok(
        given_coco(),
        "equal file names in two folders",
        "label-studio-converter#132, cvat#4185, geti#7496",
        NAMES,
        {"images/left/0001.png": image(SIZE, CUP), "images/right/0001.png": image(TALL, EXIF_BALL)},
    ),
    # Backslashes part folders; a path of the tool's own server ends in a name that is unique here.
    "coco-label-studio": ok(
        given_coco("result.json"),
        "file_name with backslashes, a blank, the tool's own folders",
        "label-studio#7294, label-studio-converter#139",
        NAMES,
        {"images/a b.png": image(SIZE, CUP), "images/1f0c-c.png": image(SIZE, BALL)},
        or_error=refused(
            "result.json", ["images[1]", "1f0c-c.png"], "not found", "missing", "no such", "does not exist"
        ),
    ),
    "coco-results-list": error(
        given_coco(),
        "a list of detections given as a data set",
        "cocodataset.org: format of results",
        "annotations.json",
        ["", "line 1"],
        "list",
        "results",
        "detections",
        "predictions",
        "score",
    ),
    # Read as x, y, width, height, 4 of 6 leave the image: they are corners, and to cut them would hide it.
    "coco-corners": error(
        given_coco(),
        "bbox as x1, y1, x2, y2",
        "Few-Shot-Object-Detection-Dataset#4",
        "annotations.json",
        ["annotations[1]", "id 2", "annotation 2"],
        "corner",
        "beyond",
        "outside",
        "exceed",
        "xyxy",
        "out of",
    ),
    # Up to some pixels over is rounding or a hand that slipped: cut at the edge.
    "coco-over-the-edge": ok(
        given_coco(),
        "boxes a little over the edge",
        "models#5474, models#1754",
        NAMES,
        {"images/a.png": image(SIZE, ("cup", 0, 8, 20, 28), ("ball", 70, 40, 96, 64))},
        [
            note(
                "repaired",
                "object",
                2,
                ["annotations[0]", "id 7", "annotation 7", "a.png"],
                "clip",
                "cut",
                "edge",
                "outside",
                "beyond",
                "exceed",
            )
        ],
    ),
    # `area` is the mask's and says nothing of the box; a box without width, height or any pixel is none.
    "coco-no-area": ok(
        given_coco(),
        "no width, no height, wholly outside; `area: 0` on a good box",
        "modern-yolonas#56, mmdetection#4436, sahi#417",
        NAMES,
        AB,
        [
            note(
                "skipped",
                "object",
                3,
                ["annotations[1]", "id 2", "annotation 2", "a.png"],
                "area",
                "width",
                "zero",
                "empty",
                "outside",
                "degenerate",
            )
        ],
    ),
    # Another shape, not another scale: which of the two is wrong, nobody knows.
    "coco-other-size": error(
        given_coco(),
        "the image has another size than the file says",
        "detectron2#3328, #213",
        "annotations.json",
        ["images[0]", "a.png"],
        "192",
        "96",
    ),
    "coco-bom": ok(
        given_coco(),
        "byte order mark, CRLF, a name with an umlaut and a blank",
        "cjio#21, langchain#138",
        ["cup"],
        {"images/Tür 1.png": image(SIZE, CUP)},
    ),
    # A blank at the end is nobody's intention; upper case may be.
    "coco-spellings": ok(
        given_coco(),
        "one class in several spellings",
        "turicreate#1528",
        ["cup", "Cup", "box"],
        {"images/a.png": image(SIZE, CUP, ("Cup", 60, 8, 80, 28), BOX, colours={"Cup": "cup"})},
        [note("warned", "class", 1, "Cup", "case", "spell", "differ", "similar", "alike")],
        or_error=refused("annotations.json", "Cup", "case", "spell", "differ", "similar", "alike", "duplicate"),
    ),
    # Which class was meant is unknown, and an unlabelled object teaches that it is ground.
    "coco-unknown-category": error(
        given_coco(),
        "category_id that categories does not have",
        "detectron2#5335",
        "annotations.json",
        ["annotations[1]", "71"],
        "category",
        "categories",
    ),
}
