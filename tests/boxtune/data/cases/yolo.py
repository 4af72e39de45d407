"""YOLO folders as people have them, each with one kind of fault or habit."""

from __future__ import annotations

from pathlib import Path

from tests.boxtune.data.cases.parts import (
    Cases,
    error,
    given_yolo,
    image,
    note,
    ok,
    paint,
    write,
    yolo_corners,
    yolo_row,
)
from tests.boxtune.data.cases.things import (
    BALL,
    CUP,
    DATA,
    ROW_BALL,
    ROW_CUP,
    SIZE,
    yolo_pair,
)

CASES = Cases()
case = CASES.case


@case
def yolo_yaml(here: Path) -> None:
    yolo_pair(here / "set", [ROW_CUP, ROW_BALL])
    (here / "set/data.yaml").unlink()
    write(
        here / "data.yaml",
        "path: ./set  # dataset root\ntrain: images/train\nval: images/val\ntest:\n\n"
        "names:\n  0: cup\n  1: ball\n  2: box\n",
    )


@case
def yolo_roboflow(here: Path) -> None:
    paint(here / "train/images/a_jpg.rf.77aa.jpg", SIZE, [CUP, BALL])
    paint(here / "valid/images/b_jpg.rf.88bb.jpg", SIZE, [CUP])
    write(here / "train/labels/a_jpg.rf.77aa.txt", f"{ROW_CUP}\n{ROW_BALL}")
    write(here / "valid/labels/b_jpg.rf.88bb.txt", ROW_CUP)
    write(
        here / "data.yaml",
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['cup', 'ball']\n",
    )


@case
def yolo_list_file(here: Path) -> None:
    root = here / "images/set"
    paint(root / "images/one/a.PNG", SIZE, [CUP])
    paint(root / "images/two/b 2.jpeg", SIZE, [BALL])
    paint(root / "images/val/c.JPG", SIZE, [CUP])
    write(root / "labels/one/a.txt", ROW_CUP + "\n", newline="\r\n")
    write(root / "labels/two/b 2.txt", ROW_BALL + "\n", newline="\r\n")
    write(root / "labels/val/c.txt", ROW_CUP + "\n", newline="\r\n")
    write(root / "train.txt", "./images/one/a.PNG\n./images/two/b 2.jpeg\n\n", newline="\r\n")
    write(here / "data.yaml", "path: images/set\ntrain: train.txt\nval: [images/val]\nnames: {0: cup, 1: ball}\n")


@case
def yolo_nc(here: Path) -> None:
    yolo_pair(here, [ROW_CUP, ROW_BALL], DATA + "nc: 3\n")


@case
def yolo_over_one(here: Path) -> None:
    things = [("cup", 0, 8, 20, 28), ("ball", 70, 40, 96, 64)]
    paint(here / "images/train/a.png", SIZE, things)
    paint(here / "images/val/b.png", SIZE, [CUP])
    write(here / "labels/train/a.txt", f"{yolo_row(0, SIZE, -0.3, 8, 20, 28)}\n{yolo_row(1, SIZE, 70, 40, 96.4, 64)}\n")
    write(here / "labels/val/b.txt", ROW_CUP + "\n")
    write(here / "data.yaml", DATA)


@case
def yolo_pixels(here: Path) -> None:
    yolo_pair(here, [ROW_CUP, "1 65 32 30 24"])


@case
def yolo_class_range(here: Path) -> None:
    yolo_pair(here, [ROW_CUP, ROW_BALL.replace("1 ", "2 ", 1)])


@case
def yolo_polygons(here: Path) -> None:
    outline = [(50, 20), (65, 20), (80, 20), (80, 30), (80, 44), (50, 44)]
    yolo_pair(here, [ROW_CUP, yolo_corners(1, SIZE, *outline)])


@case
def yolo_duplicates(here: Path) -> None:
    yolo_pair(here, [ROW_CUP, ROW_BALL, ROW_CUP])


@case
def yolo_backgrounds(here: Path) -> None:
    yolo_pair(here, [ROW_CUP, ROW_BALL])
    for name in ("empty", "blank", "none"):
        paint(here / f"images/train/{name}.png", SIZE)
    write(here / "labels/train/empty.txt", "")
    write(here / "labels/train/blank.txt", " \n\n")


@case
def yolo_no_labels(here: Path) -> None:
    yolo_pair(here, [ROW_CUP, ROW_BALL])
    (here / "labels").rename(here / "annotations")


@case
def yolo_labelimg(here: Path) -> None:
    paint(here / "a.png", SIZE, [CUP, BALL])
    paint(here / "b.png", SIZE, [CUP])
    write(here / "a.txt", f"{ROW_CUP}\n{ROW_BALL}\n")
    write(here / "b.txt", ROW_CUP + "\n")
    write(here / "classes.txt", "cup\nball\n")


@case
def yolo_commas(here: Path) -> None:
    yolo_pair(here, [ROW_CUP, ROW_BALL.replace(" ", ",")])


# What is right: ok(given, kind, where it was met, classes in the order of their ids from 1, {image: image(size as seen,
# boxes as seen…)}, notes) or error(given, kind, where it was met, file, place: any of, words: any of).

NAMES = ["cup", "ball"]
AB = {"images/a.png": image(SIZE, CUP, BALL)}
TRAIN_A, VAL_B = {"images/train/a.png": image(SIZE, CUP, BALL)}, {"images/val/b.png": image(SIZE, CUP)}
PAIR = TRAIN_A | VAL_B
SPLITS = {"images/train/a.png": "train", "images/val/b.png": "val"}

EXPECTED = {
    "yolo-yaml": ok(
        given_yolo(),
        "data.yaml with path, names as a mapping, an empty test",
        "docs.ultralytics.com/datasets/detect",
        ["cup", "ball", "box"],
        {f"set/{name}": about for name, about in PAIR.items()},
        splits={f"set/{name}": split for name, split in SPLITS.items()},
    ),
    # Roboflow's paths are relative to a folder that nobody has: ../ is dropped; a test that is not there is not needed.
    "yolo-roboflow": ok(
        given_yolo(),
        "Roboflow's ../train/images; no test folder",
        "roboflow-100-benchmark#45",
        NAMES,
        {"train/images/a_jpg.rf.77aa.jpg": image(SIZE, CUP, BALL), "valid/images/b_jpg.rf.88bb.jpg": image(SIZE, CUP)},
        splits={"train/images/a_jpg.rf.77aa.jpg": "train", "valid/images/b_jpg.rf.88bb.jpg": "val"},
    ),
    # The last folder named images is the one that labels stands for.
    "yolo-list-file": ok(
        given_yolo(),
        "train as a list file, val as a list, CRLF, extensions .PNG .jpeg .JPG, `images` twice in a path",
        "docs.cvat.ai/…/format-yolo-ultralytics, datumaro#151",
        NAMES,
        {
            "images/set/images/one/a.PNG": image(SIZE, CUP),
            "images/set/images/two/b 2.jpeg": image(SIZE, BALL),
            "images/set/images/val/c.JPG": image(SIZE, CUP),
        },
        splits={
            "images/set/images/one/a.PNG": "train",
            "images/set/images/two/b 2.jpeg": "train",
            "images/set/images/val/c.JPG": "val",
        },
    ),
    "yolo-nc": error(
        given_yolo(), "nc is not the number of names", "ultralytics#951", "data.yaml", ["nc"], "names", "3"
    ),
    "yolo-over-one": ok(
        given_yolo(),
        "a little under 0 and over 1",
        "yolov5#3656, ultralytics#13203",
        NAMES,
        {"images/train/a.png": image(SIZE, ("cup", 0, 8, 20, 28), ("ball", 70, 40, 96, 64))} | VAL_B,
        [note("repaired", "object", 2, ["a.txt"], "clip", "cut", "edge", "outside", "beyond", "exceed", "over")],
        splits=SPLITS,
    ),
    "yolo-pixels": error(
        given_yolo(),
        "a row in pixels",
        "yolov3#569, ultralytics#13924",
        "labels/train/a.txt",
        [":2", "line 2"],
        "normal",
        "pixel",
        "0 to 1",
        "0 and 1",
        "[0, 1]",
        "0..1",
        "0–1",
    ),
    # Ultralytics drops the whole image with a warning; a class that is not there is a wrong data.yaml.
    "yolo-class-range": error(
        given_yolo(),
        "a class number that names does not have",
        "ultralytics#4018, yolov3#1762",
        "labels/train/a.txt",
        [":2", "line 2"],
        "class",
    ),
    # A polygon's box is its hull; read as a box, its first two points are a wrong one without any warning.
    "yolo-polygons": ok(
        given_yolo(),
        "a polygon among boxes",
        "ultralytics#25657, geti#7420, ultralytics#1502",
        NAMES,
        PAIR,
        splits=SPLITS,
    ),
    "yolo-duplicates": ok(
        given_yolo(),
        "a row twice",
        "yolov5#10149, ultralytics#8515",
        NAMES,
        PAIR,
        [note("skipped", "object", 1, ["a.txt"], "duplicate", "twice", "same")],
        splits=SPLITS,
    ),
    # Ultralytics' rule: no objects, no file needed. But a label file that got lost looks the same: say how many.
    "yolo-backgrounds": ok(
        given_yolo(),
        "label file empty, blank, missing",
        "docs.ultralytics.com/datasets/detect, ultralytics#20440",
        NAMES,
        PAIR | {f"images/train/{name}.png": image(SIZE) for name in ("empty", "blank", "none")},
        [
            note(
                "warned",
                "image",
                1,
                ["none.png", "none.txt"],
                "no label",
                "without",
                "background",
                "missing",
                "negative",
            )
        ],
        splits=SPLITS | {f"images/train/{name}.png": "train" for name in ("empty", "blank", "none")},
    ),
    # Not one label file: the folder is called otherwise, the images are not all background.
    "yolo-no-labels": error(
        given_yolo(),
        "no label file at all: the folder has another name",
        "ultralytics#22101, #2039",
        "data.yaml",
        ["labels"],
        "no label",
        "not found",
        "none",
        "missing",
        "without",
    ),
    "yolo-labelimg": ok(
        given_yolo("."),
        "labels beside the images, classes.txt among them, no data.yaml",
        "make-sense#388, labelImg",
        NAMES,
        {"a.png": image(SIZE, CUP, BALL), "b.png": image(SIZE, CUP)},
    ),
    "yolo-commas": error(
        given_yolo(),
        "commas instead of blanks",
        "yolov5#10685, ultralytics#7907",
        "labels/train/a.txt",
        [":2", "line 2"],
        "number",
        "comma",
        "five",
        "5",
        "field",
        "float",
    ),
}
