"""Habits of tools and people, each a small data set that was once read wrongly."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxtune.cli.main import run_command
from tests.boxtune.data.cases.parts import (
    Fields,
    categories,
    coco,
    coco_image,
    coco_object,
    paint,
    voc,
    voc_object,
    write,
    yolo_row,
)
from tests.boxtune.data.cases.things import BALL, CUP, SIZE
from tests.boxtune.data.imported import examples, pixel_boxes
from tests.conftest import QUICK_START

Boxes = dict[str, list[tuple[str, int, int, int, int]]]


def imported(here: Path, *words: str | Path, out: str = "out", code: int = 0) -> Boxes:
    """Boxes in whole pixels by file name."""
    command = ["data", "import", *map(str, words), "--out", str(here / out), "--processes", "1"]
    assert run_command(command) == code
    if code:
        return {}
    return {
        example.filename: sorted((label, round(a), round(b), round(c), round(d)) for label, a, b, c, d in boxes)
        for _, example in examples(here / out)
        for boxes in [pixel_boxes(example)]
    }


def split_of(out: Path) -> dict[str, str]:
    return {example.filename: split for split, example in examples(out)}


def one_coco(here: Path, *objects: Fields, **fields: object) -> list[str | Path]:
    paint(here / "images/a.png", SIZE, [CUP, BALL])
    coco(here / "a.json", [coco_image(1, "a.png", SIZE) | fields], list(objects), categories({"cup": 1, "ball": 2}))
    return [here / "a.json", "--images", here / "images"]


def test_yolo_with_an_absolute_path_keeps_images_of_one_name_apart(tmp_path: Path) -> None:
    for split, thing in (("train", CUP), ("val", BALL)):
        paint(tmp_path / "ds/images" / split / "1.png", SIZE, [thing])
        write(tmp_path / "ds/labels" / split / "1.txt", yolo_row(0, SIZE, *thing[1:]) + "\n")
    text = f"path: {tmp_path / 'ds'}\ntrain: images/train\nval: images/val\nnames: [thing]\n"
    write(tmp_path / "elsewhere/data.yaml", text)
    found = imported(tmp_path, tmp_path / "elsewhere/data.yaml")
    assert sorted(found.values()) == [[("thing", *CUP[1:])], [("thing", *BALL[1:])]]
    assert sorted(split_of(tmp_path / "out").values()) == ["train", "validation"]


def test_cvat_tasks_keep_images_of_one_name_apart(tmp_path: Path) -> None:
    for task, (label, *box) in (("t1", CUP), ("t2", BALL)):
        paint(tmp_path / "all" / task / "images/1.png", SIZE, [(label, *box)])  # type: ignore[list-item]
        sides = dict(zip(("xtl", "ytl", "xbr", "ybr"), box, strict=True))
        shape = f"<box label='{label}' " + " ".join(f"{k}='{v}'" for k, v in sides.items()) + "/>"
        image = f"<image id='0' name='1.png' width='96' height='64'>{shape}</image>"
        write(tmp_path / "all" / task / "annotations.xml", f"<annotations>{image}</annotations>")
    assert sorted(imported(tmp_path, tmp_path / "all").values()) == [[BALL], [CUP]]


def test_labelme_finds_the_image_beside_its_file(tmp_path: Path) -> None:
    for folder, name, written, thing in (
        ("", "1", "1.png", CUP),
        ("sub", "1", "1.png", BALL),
        ("", "1_flip", "1.png", BALL),
    ):
        here = tmp_path / "set" / folder
        paint(here / f"{name}.png", SIZE, [thing])
        label, *box = thing
        shape = {"label": label, "points": [box[:2], box[2:]], "shape_type": "rectangle"}
        write(here / f"{name}.json", json.dumps({"shapes": [shape], "imagePath": written}))
    found = imported(tmp_path, tmp_path / "set")
    assert found == {"1.png": [CUP], "sub/1.png": [BALL], "1_flip.png": [BALL]}


def test_a_missing_image_is_not_its_namesake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paint(tmp_path / "images/cam1/1.png", SIZE, [CUP])
    listed = [coco_image(1, "cam1/1.png", SIZE), coco_image(2, "cam2/1.png", SIZE)]
    objects = [coco_object(1, 1, 1, *CUP[1:]), coco_object(2, 2, 2, *BALL[1:])]
    coco(tmp_path / "a.json", listed, objects, categories({"cup": 1, "ball": 2}))
    words: list[str | Path] = [tmp_path / "a.json", "--images", tmp_path / "images", "--skip-bad", "60%"]
    assert imported(tmp_path, *words) == {"cam1/1.png": [CUP]}
    assert "cam2/1.png: not found" in capsys.readouterr().out


def test_vocs_filename_decides_between_two_images_of_one_stem(tmp_path: Path) -> None:
    for name, thing in (("1.jpg", CUP), ("1.png", BALL), ("A.png", CUP), ("a.png", BALL)):
        paint(tmp_path / "images" / name, SIZE, [thing])
    voc(tmp_path / "xml/1.xml", "1.png", SIZE, [voc_object(*BALL)])
    voc(tmp_path / "xml/a.xml", "a.png", SIZE, [voc_object(*BALL)])
    voc(tmp_path / "xml/A.xml", "A.png", SIZE, [voc_object(*CUP)])
    found = imported(tmp_path, tmp_path / "xml", "--images", tmp_path / "images")
    assert found == {"1.png": [BALL], "a.png": [BALL], "A.png": [CUP]}


def test_flags_that_are_texts(tmp_path: Path) -> None:
    crowd, single = (coco_object(n, 1, n, *thing[1:]) for n, thing in enumerate((CUP, BALL), 1))
    words = one_coco(tmp_path, crowd | {"iscrowd": "1"}, single | {"iscrowd": "0"})
    assert imported(tmp_path, *words) == {"a.png": [BALL]}


def test_rotation_beside_an_upright_box(tmp_path: Path) -> None:
    """CVAT's exports to COCO and VOC."""
    wide = coco_object(1, 1, 1, 20, 26, 60, 36, attributes={"rotation": 90.0})
    assert imported(tmp_path, *one_coco(tmp_path, wide)) == {"a.png": [("cup", 35, 11, 45, 51)]}
    turned = "<attributes><attribute><name>rotation</name><value>90.0</value></attribute></attributes>"
    voc(tmp_path / "xml/a.xml", "a.png", SIZE, [voc_object("cup", 20, 26, 60, 36, flags=turned)])
    found = imported(tmp_path, tmp_path / "xml", "--images", tmp_path / "images", out="voc")
    assert found == {"a.png": [("cup", 35, 11, 45, 51)]}


def test_vocs_deleted_objects_and_several_boxes_of_one(tmp_path: Path) -> None:
    paint(tmp_path / "images/a.png", SIZE, [CUP, BALL])
    sides = dict(zip(("xmin", "ymin", "xmax", "ymax"), BALL[1:], strict=True))
    second = "<bndbox>" + "".join(f"<{k}>{v}</{k}>" for k, v in sides.items()) + "</bndbox>"
    two = voc_object(*CUP, before=second)
    gone = voc_object("ball", 1, 1, 9, 9, flags="<deleted>1</deleted>")
    voc(tmp_path / "xml/a.xml", "a.png", SIZE, [two, gone])
    found = imported(tmp_path, tmp_path / "xml", "--images", tmp_path / "images")
    assert found == {"a.png": [("cup", *CUP[1:]), ("cup", *BALL[1:])]}


def test_images_that_were_split_stay_where_they_are(tmp_path: Path) -> None:
    before: dict[str, str] = {}
    for count in (40, 41):
        names = [f"{n}x.png" for n in range(count)]
        for n, name in enumerate(names):
            paint(tmp_path / "images" / name, SIZE, [("cup", n, 8, n + 20, 28)])
        rare = (3, 29, 40)
        objects = [coco_object(n, n, 1 + (n in rare), n, 8, n + 20, 28) for n in range(count)]
        listed = [coco_image(n, name, SIZE) for n, name in enumerate(names)]
        coco(tmp_path / "a.json", listed, objects, categories({"cup": 1, "ball": 2}))
        imported(tmp_path, tmp_path / "a.json", "--images", tmp_path / "images")
        now = split_of(tmp_path / "out")
        before = before or now
        assert {name: now[name] for name in before} == before
    first = {name for name, split in before.items() if name in ("3x.png", "29x.png") and split == "train"}
    assert first  # training is served before the others


def test_another_split_that_is_asked_for_is_made(tmp_path: Path) -> None:
    names = [f"{n}x.png" for n in range(60)]
    for n, name in enumerate(names):
        paint(tmp_path / "images" / name, SIZE, [("cup", n, 8, n + 20, 28)])
    objects = [coco_object(n, n, 1, n, 8, n + 20, 28) for n in range(60)]
    coco(tmp_path / "a.json", [coco_image(n, e, SIZE) for n, e in enumerate(names)], objects, categories({"cup": 1}))
    words: list[str | Path] = [tmp_path / "a.json", "--images", tmp_path / "images"]
    imported(tmp_path, *words, "--split", "none")
    imported(tmp_path, *words, "--split", "validation=0.5")
    assert 20 < list(split_of(tmp_path / "out").values()).count("validation") < 40


def test_folders_of_voc_name_splits(tmp_path: Path) -> None:
    """As Roboflow writes them."""
    for split in ("train", "valid", "test"):
        for n in range(4):
            paint(tmp_path / "set" / split / f"{n}{split}.png", SIZE, [("cup", n, 8, n + 20, 28)])
            voc(tmp_path / "set" / split / f"{n}{split}.xml", "x.png", SIZE, [voc_object("cup", n, 8, n + 20, 28)])
    imported(tmp_path, tmp_path / "set")
    found = split_of(tmp_path / "out")
    assert all(name.startswith({"validation": "valid"}.get(split, split)) for name, split in found.items())
    assert len(found) == 12


def test_image_sets_with_blanks_extensions_and_marks(tmp_path: Path) -> None:
    for name in ("img 1", "img 2", "b"):
        paint(tmp_path / "JPEGImages" / f"{name}.jpg", SIZE, [CUP])
        voc(tmp_path / "Annotations" / f"{name}.xml", f"{name}.jpg", SIZE, [voc_object(*CUP)])
    write(tmp_path / "ImageSets/Main/train.txt", "img 1\nb.jpg\n")
    write(tmp_path / "ImageSets/Main/val.txt", "img 2  1\n")
    imported(tmp_path, tmp_path)
    names = {name.rpartition("/")[2]: split for name, split in split_of(tmp_path / "out").items()}
    assert names == {"img 1.jpg": "train", "b.jpg": "train", "img 2.jpg": "validation"}


def test_likes_are_put_together_in_the_datas_own_splits_too(tmp_path: Path) -> None:
    noise = Image.effect_noise(SIZE, 90).convert("RGB")
    for split, quality in (("train", 95), ("val", 80)):
        for name, picture in (("same", noise), (f"{split}-own", Image.effect_noise(SIZE, 90).convert("RGB"))):
            path = tmp_path / "images" / split / f"{split}-{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path, quality=quality)
            write(tmp_path / "labels" / split / f"{split}-{name}.txt", "0 0.5 0.5 0.2 0.2\n")
    write(tmp_path / "data.yaml", "train: images/train\nval: images/val\nnames: [cup]\n")
    imported(tmp_path, tmp_path / "data.yaml", "--keep-together")
    found = split_of(tmp_path / "out")
    assert found["images/val/val-same.jpg"] == "train"
    assert found["images/val/val-val-own.jpg"] == "validation"


@pytest.mark.parametrize(("rule", "said"), [("(nothing\\d+)", "no image of 1"), ("column:flight", "only a CSV")])
def test_a_group_that_groups_nothing(rule: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = one_coco(tmp_path, coco_object(1, 1, 1, *CUP[1:]))
    imported(tmp_path, *words, "--group", rule, code=2)
    assert said in capsys.readouterr().err


def test_images_that_are_thin_or_no_colours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (200, 7)).save(tmp_path / "images/thin.jpg")
    Image.fromarray(np.ones((64, 96), np.float32)).save(tmp_path / "images/heights.tif")
    listed = [coco_image(1, "thin.jpg", (200, 7)), coco_image(2, "heights.tif", SIZE)]
    coco(tmp_path / "a.json", listed, [coco_object(1, 1, 1, 10, 1, 40, 6)], categories({"cup": 1}))
    words: list[str | Path] = [tmp_path / "a.json", "--images", tmp_path / "images", "--skip-bad", "50%"]
    assert imported(tmp_path, *words) == {"thin.jpg": [("cup", 10, 1, 40, 6)]}
    assert "heights.tif: floating-point" in capsys.readouterr().out


def test_a_name_that_is_not_utf_8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paint(tmp_path / "images/a.png", SIZE, [CUP])
    os.rename(tmp_path / "images/a.png", os.fsencode(tmp_path / "images") + b"/caf\xe9.png")  # noqa: PTH104
    write(tmp_path / "data.yaml", "train: images\nnames: [cup]\n")
    imported(tmp_path, tmp_path / "data.yaml", code=2)
    assert "not UTF-8" in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bbox": [1e308] * 4}, "no number"),
        ({"segmentation": {"size": [0, 0], "counts": [0]}, "bbox": None}, "no run-length code"),
        ({"bbox": [9999, 8, -9860, 20]}, "no object at all"),
    ],
)
def test_numbers_that_are_no_boxes(
    change: Fields, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = one_coco(tmp_path, coco_object(1, 1, 1, *CUP[1:]) | change)
    imported(tmp_path, *words, code=2)
    assert said in capsys.readouterr().err


def test_a_box_of_zeros_with_an_outline_and_one_with_neither(tmp_path: Path) -> None:
    outline = [[10, 8, 30, 8, 30, 28, 10, 28]]
    good = coco_object(1, 1, 1, *CUP[1:]) | {"bbox": [0, 0, 0, 0], "segmentation": outline}
    none = coco_object(2, 1, 2, *BALL[1:]) | {"bbox": [], "segmentation": []}
    assert imported(tmp_path, *one_coco(tmp_path, good, none)) == {"a.png": [CUP]}


def test_rows_of_zeros_are_images_without_an_object(tmp_path: Path) -> None:
    for name, things in (("a.png", [CUP]), ("b.png", [])):
        paint(tmp_path / "images" / name, SIZE, things)
    write(tmp_path / "a.csv", "image_path,xmin,ymin,xmax,ymax,label\na.png,10,8,30,28,cup\nb.png,0,0,0,0,cup\n")
    found = imported(tmp_path, tmp_path / "a.csv", "--images", tmp_path / "images")
    assert found == {"a.png": [CUP], "b.png": []}


def test_files_of_other_programs_are_no_data(tmp_path: Path) -> None:
    paint(tmp_path / "images/a.PNG", SIZE, [CUP])
    for foreign in (".ipynb_checkpoints/a-checkpoint.png", "@eaDir/a.png", "._a.png"):
        paint(tmp_path / "images" / foreign, SIZE)
    write(tmp_path / "labels/a.TXT", yolo_row(0, SIZE, *CUP[1:]) + "\n")
    write(tmp_path / "data.yaml", "train: images\nnames: [cup]\n")
    assert imported(tmp_path, tmp_path / "data.yaml") == {"images/a.PNG": [CUP]}


def test_a_folder_for_each_split_of_coco(tmp_path: Path) -> None:
    """annotations/instances_train2017.json beside train2017/, images of one name in both."""
    for split, thing in (("train2017", CUP), ("val2017", BALL)):
        paint(tmp_path / "coco" / split / "1.png", SIZE, [thing])
        numbers = categories({"cup": 1, "ball": 2})
        objects = [coco_object(1, 1, 1 + (thing is BALL), *thing[1:])]
        path = tmp_path / "coco/annotations" / f"instances_{split}.json"
        coco(path, [coco_image(1, "1.png", SIZE)], objects, numbers)
    found = imported(tmp_path, tmp_path / "coco")
    assert found == {"train2017/1.png": [CUP], "val2017/1.png": [BALL]}
    assert sorted(split_of(tmp_path / "out").values()) == ["train", "validation"]


def test_what_people_edited_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{n}x.png" for n in range(20)]
    for n, name in enumerate(names):
        paint(tmp_path / "images" / name, SIZE, [("cup", n, 8, n + 20, 28)])
    objects = [coco_object(n, n, 1, n, 8, n + 20, 28) for n in range(20)]
    coco(tmp_path / "a.json", [coco_image(n, e, SIZE) for n, e in enumerate(names)], objects, categories({"cup": 1}))
    words: list[str | Path] = [tmp_path / "a.json", "--images", tmp_path / "images"]
    config: list[str | Path] = ["--config", QUICK_START / "pipeline.config"]
    imported(tmp_path, *words, *config)
    experiment, mine = tmp_path / "out/experiment.yaml", tmp_path / "out/notes.txt"
    edited = experiment.read_text().replace("maxTrialCount: 24", "maxTrialCount: 7")
    experiment.write_text(edited)
    mine.write_text("mine")
    imported(tmp_path, *words, *config, "--seed", "1")
    assert experiment.read_text() == edited
    assert "maxTrialCount: 24" in experiment.with_name("experiment.yaml.new").read_text()
    assert mine.read_text() == "mine"
    assert "kept: experiment.yaml" in capsys.readouterr().out
    imported(tmp_path, *words, "--seed", "2")  # without a config: what was there stays
    assert experiment.read_text() == edited
    assert (tmp_path / "out/pipeline.config").is_file()


def test_a_kill_between_the_two_steps_of_publishing_loses_nothing(tmp_path: Path) -> None:
    words = one_coco(tmp_path, coco_object(1, 1, 1, *CUP[1:]))
    imported(tmp_path, *words)
    (tmp_path / "out.importing").mkdir()
    shutil.move(tmp_path / "out", tmp_path / "out.importing/replaced")
    imported(tmp_path, tmp_path / "nothing.json", code=2)
    assert (tmp_path / "out/import.json").is_file()


def test_out_may_be_a_link_or_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = one_coco(tmp_path, coco_object(1, 1, 1, *CUP[1:]))
    (tmp_path / "disk/target").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "disk/target")
    imported(tmp_path, *words, out="link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk/target/import.json").is_file()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    command = ["data", "import", *map(str, words), "--out", ".", "--processes", "1"]
    assert run_command(command) == 0
    assert (tmp_path / "here/import.json").is_file()
    imported(tmp_path, tmp_path / "nothing.json", out="x/y/z", code=2)
    assert not (tmp_path / "x").exists()


def test_twelve_bits_in_sixteen_are_said_to_come_out_dark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "images").mkdir()
    for name, highest in (("dark.png", 4000), ("full.png", 60000)):
        rows = np.linspace(0, highest, 64 * 96).reshape(64, 96)
        Image.fromarray(rows.astype(np.uint16)).save(tmp_path / "images" / name)
    listed = [coco_image(1, "dark.png", SIZE), coco_image(2, "full.png", SIZE)]
    objects = [coco_object(n, n, 1, *CUP[1:]) for n in (1, 2)]
    coco(tmp_path / "a.json", listed, objects, categories({"cup": 1}))
    imported(tmp_path, tmp_path / "a.json", "--images", tmp_path / "images")
    said = capsys.readouterr().out.splitlines()
    assert any("nearly black" in line and "dark.png" in line and "full.png" not in line for line in said)
