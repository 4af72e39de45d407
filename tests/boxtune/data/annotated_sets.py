"""Random annotated images, and writers of every format that is read: what goes in must come out again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from PIL import Image

from boxtune.cli.main import run_command
from tests.boxtune.data.cases.parts import categories, coco, coco_image, coco_object, voc, voc_object, yolo_row

CLASSES = ("cup", "ball", "traffic light")
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Annotated:
    """An image's size and its boxes in pixels, each with its class."""

    size: tuple[int, int]
    objects: tuple[tuple[str, Box], ...]


Set = Mapping[str, Annotated]


def random_set(seed: int, images: int = 4) -> Set:
    """Images of several sizes and kinds, some without an object, boxes with two decimals and no two alike."""
    dice = random.Random(seed)
    found = {}
    for number in range(images):
        size = dice.randint(40, 120), dice.randint(40, 120)
        objects = []
        for _ in range(dice.randint(0 if number else 2, 5)):
            width, height = (round(dice.uniform(3, side - 1), 2) for side in size)
            x, y = round(dice.uniform(0, size[0] - width), 2), round(dice.uniform(0, size[1] - height), 2)
            objects.append((dice.choice(CLASSES), (x, y, round(x + width, 2), round(y + height, 2))))
        folder = dice.choice(("", "left/", "right side/"))
        found[f"{folder}{number:03d}.{dice.choice(('png', 'jpg'))}"] = Annotated(size, tuple(objects))
    return found


def write_images(folder: Path, images: Set) -> None:
    """The pictures, each of one colour of its own."""
    for number, (name, each) in enumerate(images.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", each.size, (40 * number % 255, 90, 160)).save(path)


def write_coco(here: Path, images: Set) -> list[str]:
    """The arguments that import what was written."""
    objects = [
        coco_object(0, number, CLASSES.index(label) + 5, *box)
        for number, each in enumerate(images.values())
        for label, box in each.objects
    ]
    objects = [each | {"id": number} for number, each in enumerate(objects)]
    listed = [coco_image(number, name, each.size) for number, (name, each) in enumerate(images.items())]
    coco(here / "a.json", listed, objects, categories({name: number + 5 for number, name in enumerate(CLASSES)}))
    return [str(here / "a.json"), "--images", str(here / "images")]


def write_voc(here: Path, images: Set) -> list[str]:
    for name, each in images.items():
        boxes = [voc_object(label, *box) for label, box in each.objects]
        voc((here / "xml" / name).with_suffix(".xml"), Path(name).name, each.size, boxes)
    return [str(here / "xml"), "--images", str(here / "images")]


def write_yolo(here: Path, images: Set) -> list[str]:
    for name, each in images.items():
        path = (here / "labels" / name).with_suffix(".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [yolo_row(CLASSES.index(label), each.size, *box) for label, box in each.objects]
        path.write_text("".join(f"{row}\n" for row in rows))
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CLASSES))
    (here / "data.yaml").write_text(f"train: images\nnames:\n{names}")
    return [str(here / "data.yaml")]


def write_csv(here: Path, images: Set) -> list[str]:
    rows = ["filename,width,height,class,xmin,ymin,xmax,ymax"]
    for name, each in images.items():
        size = f"{each.size[0]},{each.size[1]}"
        boxes = [f"{label},{','.join(map(str, box))}" for label, box in each.objects] or [",,,,"]
        rows += [f"{name},{size},{box}" for box in boxes]
    (here / "a.csv").write_text("\n".join(rows) + "\n")
    return [str(here / "a.csv"), "--images", str(here / "images")]


def write_cvat(here: Path, images: Set) -> list[str]:
    labels = "".join(f"<label><name>{name}</name></label>" for name in CLASSES)
    text = f"<annotations><version>1.1</version><meta><task><labels>{labels}</labels></task></meta>"
    for number, (name, each) in enumerate(images.items()):
        text += f'\n<image id="{number}" name={quoteattr(name)} width="{each.size[0]}" height="{each.size[1]}">'
        for label, (xmin, ymin, xmax, ymax) in each.objects:
            text += f'<box label="{label}" xtl="{xmin}" ytl="{ymin}" xbr="{xmax}" ybr="{ymax}"></box>'
        text += "</image>"
    (here / "annotations.xml").write_text(text + "</annotations>\n")
    return [str(here / "annotations.xml"), "--images", str(here / "images")]


def write_label_studio(here: Path, images: Set) -> list[str]:
    tasks = []
    for number, (name, each) in enumerate(images.items()):
        width, height = each.size
        results = [
            {
                "type": "rectanglelabels",
                "original_width": width,
                "original_height": height,
                "value": {
                    "x": 100 * xmin / width,
                    "y": 100 * ymin / height,
                    "width": 100 * (xmax - xmin) / width,
                    "height": 100 * (ymax - ymin) / height,
                    "rotation": 0,
                    "rectanglelabels": [label],
                },
            }
            for label, (xmin, ymin, xmax, ymax) in each.objects
        ]
        address = f"/data/local-files/?d=images/{name.replace(' ', '%20')}"
        tasks.append({"id": number, "data": {"image": address}, "annotations": [{"result": results}]})
    (here / "project.json").write_text(json.dumps(tasks))
    return [str(here / "project.json"), "--images", str(here / "images")]


def write_labelme(here: Path, images: Set) -> list[str]:
    for name, each in images.items():
        shapes = [
            {"label": label, "points": [list(box[2:]), list(box[:2])], "shape_type": "rectangle"}
            for label, box in each.objects
        ]
        about = {"version": "5.5", "shapes": shapes, "imagePath": Path(name).name, "imageData": None}
        path = (here / "images" / name).with_suffix(".json")
        path.write_text(json.dumps(about | {"imageWidth": each.size[0], "imageHeight": each.size[1]}, indent=1))
    return [str(here / "images")]


def write_tfrecord(here: Path, images: Set) -> list[str]:
    made = here / "made"
    assert run_command(["data", "import", *write_coco(here, images), "--out", str(made), "--split", "none"]) == 0
    return [str(made)]


WRITERS: Mapping[str, Callable[[Path, Set], list[str]]] = {
    "coco": write_coco,
    "voc": write_voc,
    "yolo": write_yolo,
    "csv": write_csv,
    "cvat": write_cvat,
    "labelstudio": write_label_studio,
    "labelme": write_labelme,
    "tfrecord": write_tfrecord,
}
