"""Others' programs on the same data: the API's converter and globox, where they are right."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from globox import AnnotationSet

from boxtune.cli.main import run_command
from tests.boxtune.data.annotated_sets import CLASSES, Annotated, Set, random_set, write_coco, write_images
from tests.boxtune.data.imported import examples, pixel_boxes
from tests.conftest import REPOSITORY
from trial_entry.records.examples import decode_example
from trial_entry.records.tfrecord import read_records

SHARDS = 2
STOCK = f"""
import sys
from trial_entry.detection.compat import load_api
load_api()
from object_detection.dataset_tools import create_coco_tf_record as stock
stock._create_tf_record_from_coco_annotations(*sys.argv[1:], False, {SHARDS})
"""
Box = tuple[str, float, float, float, float]
SIDES = ("xmin", "ymin", "xmax", "ymax")


def imported(words: list[str], out: Path) -> dict[str, list[tuple[str, float, float, float, float]]]:
    """Boxes in pixels by file name."""
    assert run_command(["data", "import", *words, "--out", str(out), "--split", "none", "--processes", "1"]) == 0
    return {example.filename: sorted(pixel_boxes(example)) for _, example in examples(out)}


def assert_same(one: list[Box], other: list[Box], within: float) -> None:
    assert [label for label, *_ in one] == [label for label, *_ in other]
    for (_, *box), (_, *wanted) in zip(one, other, strict=True):
        assert box == pytest.approx(wanted, abs=within)


def test_the_api_makes_the_same_boxes_of_the_same_file(tmp_path: Path) -> None:
    images = random_set(5, 12)
    write_images(tmp_path / "images", images)
    words = write_coco(tmp_path, images)
    ours = imported(words, tmp_path / "out")
    record = tmp_path / "stock.record"
    command = [sys.executable, "-c", STOCK, words[0], str(tmp_path / "images"), str(record)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    theirs = {}
    for number in range(SHARDS):
        for data in read_records(tmp_path / f"stock.record-{number:05d}-of-{SHARDS:05d}"):
            features = decode_example(data, "stock")
            width, height = features["image/width"][0], features["image/height"][0]
            sides = [features.get(f"image/object/bbox/{side}", []) for side in SIDES]
            texts = [text.decode() for text in features.get("image/object/class/text", [])]
            theirs[features["image/filename"][0].decode()] = sorted(
                (text, xmin * width, ymin * height, xmax * width, ymax * height)
                for text, xmin, ymin, xmax, ymax in zip(texts, *sides, strict=True)
            )
    assert set(theirs) == set(ours)
    for name, boxes in theirs.items():
        assert_same(ours[name], boxes, 0.001)


def to_voc(found: AnnotationSet, here: Path) -> list[str]:
    found.save_pascal_voc(here / "xml")
    return [str(here / "xml"), "--images", str(here / "images")]


def to_coco(found: AnnotationSet, here: Path) -> list[str]:
    found.save_coco(here / "b.json", auto_ids=True)
    return [str(here / "b.json"), "--images", str(here / "images")]


def to_cvat(found: AnnotationSet, here: Path) -> list[str]:
    found.save_cvat(here / "cvat.xml")
    return [str(here / "cvat.xml"), "--images", str(here / "images")]


def to_labelme(found: AnnotationSet, here: Path) -> list[str]:
    found.save_labelme(here / "labelme")
    return [str(here / "labelme"), "--images", str(here / "images")]


def to_yolo(found: AnnotationSet, here: Path) -> list[str]:
    found.save_yolo_v5(here / "labels", label_to_id={name: number for number, name in enumerate(CLASSES)})
    (here / "data.yaml").write_text(f"train: images\nnames: {list(CLASSES)}\n")
    return [str(here / "data.yaml")]


@pytest.mark.parametrize("write", [to_voc, to_coco, to_cvat, to_labelme, to_yolo])
def test_what_globox_writes_is_read(write: Callable[[AnnotationSet, Path], list[str]], tmp_path: Path) -> None:
    images = flat(random_set(9, 8))
    write_images(tmp_path / "images", images)
    found = AnnotationSet.from_coco(Path(write_coco(tmp_path, images)[0]))
    ours = imported(write(found, tmp_path), tmp_path / "out")
    for name, each in images.items():
        boxes = next(boxes for other, boxes in ours.items() if name == other or other.endswith(f"/{name}"))
        assert_same(boxes, sorted((label, *box) for label, box in each.objects), 0.01)


def flat(images: Set) -> dict[str, Annotated]:
    """In one folder, since that is what its formats know; each with an object, since it leaves out those without."""
    return {Path(name).name: each for name, each in images.items() if each.objects}
