"""Kinds of image, CSV, splits and tiles as people have them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.boxtune.data.cases.parts import (
    COLOURS,
    GROUND,
    Cases,
    Size,
    Thing,
    categories,
    coco,
    coco_image,
    coco_object,
    given_coco,
    given_yolo,
    image,
    note,
    ok,
    paint,
    picture,
    refused,
    save,
    write,
)
from tests.boxtune.data.cases.things import (
    BALL,
    BOX,
    CUP,
    ROW_BALL,
    ROW_CUP,
    SIZE,
    yolo_pair,
)

CASES = Cases()
case = CASES.case


def one_cup_each(here: Path, names: list[str], size: Size = SIZE, thing: Thing = CUP) -> None:
    coco(
        here / "annotations.json",
        [coco_image(n, name, size) for n, name in enumerate(names, 1)],
        [coco_object(n, n, 1, *thing[1:]) for n, _ in enumerate(names, 1)],
        categories({"cup": 1}),
    )


@case
def image_modes(here: Path) -> None:
    folder = here / "images"
    clear = Image.new("RGBA", SIZE, (*GROUND, 0))
    clear.paste((*COLOURS["cup"], 255), CUP[1:])
    save(folder / "rgba.png", clear)
    palette = Image.new("P", SIZE, 0)
    palette.putpalette([*GROUND, *COLOURS["cup"]])
    palette.paste(1, CUP[1:])
    save(folder / "palette.png", palette, transparency=0)
    save(folder / "cmyk.jpg", picture(SIZE, [CUP], "CMYK"))
    grey = Image.new("L", SIZE, 40)
    grey.paste(200, CUP[1:])
    save(folder / "grey.jpg", grey)
    save(folder / "grey-alpha.png", grey.convert("LA"))
    high = b"".join(b"\0\xc0" if 10 <= x < 30 and 8 <= y < 28 else b"\0\x40" for y in range(64) for x in range(96))
    save(folder / "deep.png", Image.frombytes("I;16", SIZE, high))
    bits = Image.new("1", SIZE, 0)
    bits.paste(1, CUP[1:])
    save(folder / "bits.png", bits)
    one_cup_each(here, sorted(path.name for path in folder.iterdir()))


@case
def image_formats(here: Path) -> None:
    folder = here / "images"
    seen = picture(SIZE, [CUP])
    save(folder / "a.webp", seen, lossless=True)
    save(folder / "b.tif", seen)
    save(folder / "c.bmp", seen)
    save(folder / "d.gif", seen, save_all=True, append_images=[picture(SIZE, [BALL])], duration=100, loop=0)
    save(folder / "png-inside.jpg", seen, format="PNG")
    save(folder / "webp-inside.png", seen, format="WEBP", lossless=True)
    one_cup_each(here, sorted(path.name for path in folder.iterdir()))


@case
def image_broken(here: Path) -> None:
    folder = here / "images"
    for name in ("cut.jpg", "good.jpg"):
        paint(folder / name, SIZE, [CUP, BALL, BOX])
    whole = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) * 6 // 10])
    (folder / "empty.jpg").write_bytes(b"")
    write(folder / "page.jpg", "<!doctype html><title>404</title>\n")
    (folder / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    one_cup_each(here, sorted(path.name for path in folder.iterdir()))


@case
def csv_tensorflow(here: Path) -> None:
    paint(here / "images/a, left.png", SIZE, [CUP, BALL])
    paint(here / "images/b.png", SIZE, [BALL])
    write(
        here / "labels.csv",
        "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        '"a, left.png",96,64,cup,10,8,30,28\nb.png,96,64,ball,50,20,80,44\n"a, left.png",96,64,ball,50,20,80,44\n',
    )


@case
def csv_no_header(here: Path) -> None:
    paint(here / "images/a.png", SIZE, [CUP])
    paint(here / "images/b.png", SIZE)
    write(here / "labels.csv", "images/a.png,10,8,30,28,cup\nimages/b.png,,,,,\n")


@case
def split_same_image(here: Path) -> None:
    yolo_pair(here, [ROW_CUP, ROW_BALL])
    (here / "images/val/copy of a.png").write_bytes((here / "images/train/a.png").read_bytes())
    write(here / "labels/val/copy of a.txt", f"{ROW_CUP}\n{ROW_BALL}\n")


@case
def split_clips(here: Path) -> None:
    names = [f"clip{clip}/{frame:04d}.png" for clip in "ABCD" for frame in range(1, 5)]
    shift = {name: 2 * place for place, name in enumerate(names)}
    for name in names:
        paint(here / "images" / name, SIZE, [("cup", 10 + shift[name], 8, 30 + shift[name], 28)])
    coco(
        here / "annotations.json",
        [coco_image(n, name, SIZE) for n, name in enumerate(names, 1)],
        [coco_object(n, n, 1, 10 + shift[name], 8, 30 + shift[name], 28) for n, name in enumerate(names, 1)],
        categories({"cup": 1}),
    )


FRAME, MAST = (400, 260), ("mast", 20, 200, 380, 216)
SMALL = [("van", 20, 20, 44, 40), ("van", 116, 60, 140, 84), ("van", 250, 100, 266, 124), ("van", 384, 4, 400, 24)]


@case
def tiles(here: Path) -> None:
    paint(here / "images/frame.png", FRAME, [*SMALL, MAST])
    coco(
        here / "annotations.json",
        [coco_image(1, "frame.png", FRAME)],
        [coco_object(n, 1, 2 if thing is MAST else 1, *thing[1:]) for n, thing in enumerate([*SMALL, MAST], 1)],
        categories({"van": 1, "mast": 2}),
    )


# What is right: ok(given, kind, where it was met, classes in the order of their ids from 1, {image: image(size as seen,
# boxes as seen…)}, notes) or error(given, kind, where it was met, file, place: any of, words: any of).

NAMES = ["cup", "ball"]
AB = {"images/a.png": image(SIZE, CUP, BALL)}
TRAIN_A, VAL_B = {"images/train/a.png": image(SIZE, CUP, BALL)}, {"images/val/b.png": image(SIZE, CUP)}
PAIR = TRAIN_A | VAL_B
SPLITS = {"images/train/a.png": "train", "images/val/b.png": "val"}

EXPECTED = {
    # Three channels of eight bits; transparency goes, objects keep their colour; 16 bits are scaled, not clipped.
    "image-modes": ok(
        given_coco(),
        "palette, alpha, grey, CMYK, 16 bits, 1 bit",
        "models#9427, vision#6538, tensorflow/datasets#590",
        ["cup"],
        {
            "images/rgba.png": image(SIZE, CUP),
            "images/palette.png": image(SIZE, CUP),
            "images/cmyk.jpg": image(SIZE, CUP),
            "images/grey.jpg": image(SIZE, CUP, inside=[200, 200, 200]),
            "images/grey-alpha.png": image(SIZE, CUP, inside=[200, 200, 200]),
            "images/deep.png": image(SIZE, CUP, inside=[192, 192, 192]),
            "images/bits.png": image(SIZE, CUP, inside=[255, 255, 255]),
        },
    ),
    # The API decodes JPEG, PNG and BMP, and of a GIF only one frame; the bytes say what they are, not the name.
    "image-formats": ok(
        given_coco(),
        "WebP, TIFF, BMP, a moving GIF; a name that lies",
        "labelImg#289, pixel_link#80, tensorflow#13044",
        ["cup"],
        {
            f"images/{name}": image(SIZE, CUP)
            for name in ["a.webp", "b.tif", "c.bmp", "d.gif", "png-inside.jpg", "webp-inside.png"]
        },
    ),
    # Found now, by decoding every pixel, not by TensorFlow after two hours. One broken image stops no import.
    "image-broken": ok(
        given_coco(),
        "cut off, empty, a web page, HEIC",
        "models#9427, dreambooth#23, ultralytics (corrupt image)",
        ["cup"],
        {"images/good.jpg": image(SIZE, CUP)},
        [
            note(
                "skipped",
                "image",
                4,
                ["cut.jpg", "empty.jpg", "page.jpg", "phone.jpg"],
                "decode",
                "truncated",
                "read",
                "image",
                "corrupt",
                "identify",
            )
        ],
        or_error=refused(
            "*", ["cut.jpg", "empty.jpg", "page.jpg", "phone.jpg"], "decode", "truncated", "read", "image"
        ),
        every_place=True,
    ),
    "csv-tensorflow": ok(
        {"format": "csv", "annotations": "labels.csv", "images": "images"},
        "filename,width,height,class,…; a comma in a name; rows out of order",
        "raccoon_dataset#74",
        ["ball", "cup"],
        {"images/a, left.png": image(SIZE, CUP, BALL), "images/b.png": image(SIZE, BALL)},
        optional=True,
    ),
    "csv-no-header": ok(
        {"format": "csv", "annotations": "labels.csv", "images": "."},
        "path,x1,y1,x2,y2,class without header; a row with no box",
        "SKU110K_CVPR19#56",
        ["cup"],
        {"images/a.png": image(SIZE, CUP), "images/b.png": image(SIZE)},
        optional=True,
    ),
    "split-same-image": ok(
        given_yolo(),
        "one image in both halves under two names",
        "PlantSeg#11, webui#1, RIAWELC#2",
        NAMES,
        PAIR | {"images/val/copy of a.png": image(SIZE, CUP, BALL)},
        [note("warned", "image", 1, ["copy of a.png"], "both", "same", "also in", "leak", "share", "duplicate")],
        splits=SPLITS | {"images/val/copy of a.png": "val"},
        or_error=refused("*", ["copy of a.png"], "both", "same", "also in", "leak", "share", "duplicate"),
    ),
    # Neighbours in a clip are one picture: a clip is in one half. The folder is the clip here.
    "split-clips": ok(
        given_coco(split=0.25),
        "frames of four clips, to be split into training and validation",
        "digitalsreeni-image-annotator#93, hulk#2831",
        ["cup"],
        {
            f"images/clip{clip}/{frame:04d}.png": image(SIZE, ("cup", x, 8, x + 20, 28))
            for place, clip in enumerate("ABCD")
            for frame in range(1, 5)
            for x in [10 + 2 * (4 * place + frame - 1)]
        },
        groups={f"images/clip{clip}/{frame:04d}.png": f"clip{clip}" for clip in "ABCD" for frame in range(1, 5)},
    ),
    # Judged by what holds of any good tiling: test_cases.py.
    "tiles": ok(
        given_coco(tile=[128, 128], overlap=32),
        "an image larger than a detector takes; objects on the seams",
        "sahi#304, SARDet_100K#3, yolo-tiling#3",
        ["van", "mast"],
        {"images/frame.png": image(FRAME, *SMALL, MAST)},
        tiling={"size": [128, 128], "overlap": 32, "whole_up_to": 32},
    ),
}
