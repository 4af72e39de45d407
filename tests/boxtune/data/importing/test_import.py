"""`boxtune data import` as a whole: what is in the folder, going on, splits, tiles, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from boxtune.cli.main import run_command
from boxtune.data.published import LABEL_MAP
from tests.boxtune.data.annotated_sets import random_set, write_coco, write_images
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
)
from tests.boxtune.data.imported import examples, labels_of, pixel_boxes
from tests.configs.zoo import ZOO
from tests.conftest import QUICK_START

BOXTUNE = [sys.executable, "-c", "from boxtune.cli.main import main; main()"]
SIZE = (96, 64)


def make(here: Path, count: int, seed: int = 0) -> list[str]:
    """COCO of random images; the arguments that import it."""
    images = random_set(seed, count)
    write_images(here / "images", images)
    for number, name in enumerate(images):  # no two have equal bytes
        with (here / "images" / name).open("ab") as file:
            file.write(f"{number}".encode())
    return write_coco(here, images)


def imported(words: list[str], out: Path, *options: str) -> dict[str, bytes]:
    """Every file of the folder that is made."""
    assert run_command(["data", "import", *words, "--out", str(out), "--processes", "1", *options]) == 0
    return {path.name: path.read_bytes() for path in out.iterdir()}


def splits(out: Path) -> dict[str, str]:
    with (out / "splits.csv").open(newline="") as file:
        return {row["image"]: row["split"] for row in csv.DictReader(file)}


def test_the_folder_says_what_is_in_it(tmp_path: Path) -> None:
    words = make(tmp_path, 30)
    files = imported(words, tmp_path / "out")
    about = json.loads(files["import.json"])
    assert about["classes"] == {"cup": 1, "ball": 2, "traffic light": 3}
    assert list(about["splits"]) == ["train", "validation", "test"]
    read = list(examples(tmp_path / "out"))
    for split, said in about["splits"].items():
        own = [example for each, example in read if each == split]
        assert said["records"] == said["images"] == len(own) > 0
        assert sum(said["objects"].values()) == sum(len(each.objects) for each in own)
        assert all(name in files for name in said["files"])
    assert about["files"] == {name: len(data) for name, data in sorted(files.items()) if name != "import.json"}
    assert about["command"][:3] == ["boxtune", "data", "import"] or about["command"][0] == "boxtune"
    assert len({example.source_id for _, example in read}) == 30


def test_the_same_input_gives_the_same_bytes_and_a_second_call_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = make(tmp_path, 20)
    first = imported(words, tmp_path / "out")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    capsys.readouterr()
    assert imported(words, tmp_path / "out") == first
    assert "nothing changed" in capsys.readouterr().out
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before
    assert imported(words, tmp_path / "other") == first
    # The same size, other bytes: seen by its time.
    picture = next((tmp_path / "images").rglob("*.png"))
    with Image.open(picture) as image:
        image.load()
    data = bytearray(picture.read_bytes())
    data[-1] ^= 1
    picture.write_bytes(bytes(data))
    assert imported(words, tmp_path / "out") != first


def test_it_goes_on_after_a_kill(tmp_path: Path) -> None:
    words = make(tmp_path, 300)
    whole = imported(words, tmp_path / "whole")
    work = tmp_path / "out.importing"
    for sign in (work / "index.sqlite", work / "made", work / "made" / LABEL_MAP):
        process = subprocess.Popen([*BOXTUNE, "data", "import", *words, "--out", str(tmp_path / "out")])
        while process.poll() is None and not sign.exists():
            time.sleep(0.002)
        process.kill()
        process.wait()
        assert not (tmp_path / "out").exists() or (tmp_path / "out" / "import.json").exists()
    made = imported(words, tmp_path / "out")
    assert made["splits.csv"] == whole["splits.csv"]
    assert {name: data for name, data in made.items() if "-of-" in name} == {
        name: data for name, data in whole.items() if "-of-" in name
    }
    assert not work.exists()


def test_an_interrupt_is_said_and_one_folder_has_one_maker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out.importing").mkdir()
    with (tmp_path / "out.importing" / "lock").open("a") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run_command(["data", "import", *make(tmp_path, 3), "--out", str(tmp_path / "out")]) == 2
    assert "another import is making it" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize("size", ["64k", "300k"])
def test_a_full_disk_is_said_and_the_same_command_goes_on(size: str, tmp_path: Path) -> None:
    words = make(tmp_path, 40)
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    command = [*BOXTUNE, "data", "import", *words, "--out", str(small / "out")]
    try:
        full = subprocess.run(command, capture_output=True, text=True, check=False)
        assert full.returncode == 130
        assert "the disk is full" in full.stderr
        assert not (small / "out").exists()
        subprocess.run(["mount", "-o", "remount,size=20m", str(small)], check=True)
        imported(words, small / "out")
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)


def test_a_folder_of_others_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = make(tmp_path, 3)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    assert run_command(["data", "import", *words, "--out", str(tmp_path / "out")]) == 2
    assert "no import made" in capsys.readouterr().err
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


def test_adding_images_moves_none(tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    images = random_set(3, 120)
    write_images(many / "images", images)
    for number, name in enumerate(images):
        with (many / "images" / name).open("ab") as file:
            file.write(f"{number}".encode())
    part = dict(list(images.items())[:60])
    few.mkdir()
    (few / "images").symlink_to(many / "images")
    imported(write_coco(few, part), tmp_path / "out")
    first = splits(tmp_path / "out")
    imported(write_coco(many, images), tmp_path / "new")
    now = splits(tmp_path / "new")
    assert {name: now[name] for name in first} == first
    assert len(now) == 120
    shares = {split: list(now.values()).count(split) / 120 for split in ("train", "validation", "test")}
    assert shares == pytest.approx({"train": 0.7, "validation": 0.2, "test": 0.1}, abs=0.1)


def test_a_rare_class_is_in_every_split(tmp_path: Path) -> None:
    names = [f"{number:03d}.png" for number in range(60)]
    for number, name in enumerate(names):
        paint(tmp_path / "images" / name, SIZE, [("cup", number, 8, number + 20, 28)])
    objects = [coco_object(n, n, 2 if n in (7, 8, 9) else 1, n, 8, n + 20, 28) for n in range(60)]
    coco(
        tmp_path / "a.json",
        [coco_image(n, name, SIZE) for n, name in enumerate(names)],
        objects,
        categories({"common": 1, "rare": 2}),
    )
    for seed in ("0", "1", "2", "3"):
        out = tmp_path / seed
        files = imported([str(tmp_path / "a.json"), "--images", str(tmp_path / "images")], out, "--seed", seed)
        about = json.loads(files["import.json"])
        assert all(each["objects"].get("rare") == 1 for each in about["splits"].values())


@pytest.mark.parametrize(
    "options", [("--group", "(flight.)"), ("--group", "folder"), ("--group", r"^\w+"), ("--keep-together",)]
)
def test_what_belongs_together_stays_together(options: tuple[str, ...], tmp_path: Path) -> None:
    """Frames of a flight differ by noise alone; flights differ in everything."""
    names, objects = list[str](), list[Fields]()
    flights = [Image.effect_noise(SIZE, 90).convert("RGB") for _ in range(8)]
    for flight in range(8):
        for frame in range(5):
            name = f"flight{flight}/{frame}_x.png"
            names.append(name)
            picture = flights[flight].copy()
            picture.putpixel((frame, 0), (255, 0, 0))
            (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
            picture.save(tmp_path / "images" / name)
            objects.append(coco_object(len(objects), len(objects), 1, 10, 8, 30, 28))
    coco(
        tmp_path / "a.json",
        [coco_image(n, name, SIZE) for n, name in enumerate(names)],
        objects,
        categories({"cup": 1}),
    )
    words = [str(tmp_path / "a.json"), "--images", str(tmp_path / "images")]
    imported(words, tmp_path / "out", "--split", "validation=0.3", *options)
    found = splits(tmp_path / "out")
    homes = {flight: {found[name] for name in names if name.startswith(flight)} for flight in {n[:7] for n in names}}
    assert all(len(each) == 1 for each in homes.values())
    assert {split for each in homes.values() for split in each} == {"train", "validation"}


def test_a_column_says_what_belongs_together(tmp_path: Path) -> None:
    rows = ["filename,class,xmin,ymin,xmax,ymax,flight"]
    for number in range(30):
        paint(tmp_path / "images" / f"{number}.png", SIZE, [("cup", number, 8, number + 20, 28)])
        rows.append(f"{number}.png,cup,{number},8,{number + 20},28,f{number % 6}")
    write(tmp_path / "a.csv", "\n".join(rows))
    words = [str(tmp_path / "a.csv"), "--images", str(tmp_path / "images")]
    imported(words, tmp_path / "out", "--group", "column:flight", "--split", "validation=0.3,test=0.2")
    found = splits(tmp_path / "out")
    assert all(len({found[f"{n}.png"] for n in range(30) if n % 6 == flight}) == 1 for flight in range(6))
    assert run_command(["data", "import", *words, "--out", str(tmp_path / "o"), "--group", "column:day"]) == 2


def test_near_duplicates_in_two_splits_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noise = Image.effect_noise(SIZE, 90).convert("RGB")
    for split in ("train", "val"):
        path = tmp_path / "images" / split / f"{split}.jpg"
        path.parent.mkdir(parents=True)
        noise.save(path, quality=95 if split == "train" else 80)
        write(tmp_path / "labels" / split / f"{split}.txt", "0 0.5 0.5 0.2 0.2\n")
    write(tmp_path / "data.yaml", "train: images/train\nval: images/val\nnames: [cup]\n")
    imported([str(tmp_path / "data.yaml")], tmp_path / "out")
    said = capsys.readouterr().out
    assert "nearly the same" in said
    assert "images/val/val.jpg in validation and images/train/train.jpg in train" in said


def test_shrunk_images_keep_their_boxes_in_place(tmp_path: Path) -> None:
    paint(tmp_path / "images/a.png", (400, 200), [("cup", 100, 60, 180, 140)])
    voc(tmp_path / "xml/a.xml", "a.png", (400, 200), [voc_object("cup", 100, 60, 180, 140)])
    words = [str(tmp_path / "xml"), "--images", str(tmp_path / "images")]
    imported(words, tmp_path / "out", "--max-side", "100")
    [(_, example)] = examples(tmp_path / "out")
    assert (example.width, example.height) == (100, 50)
    [(label, *box)] = pixel_boxes(example)
    assert label == "cup"
    assert box == pytest.approx([25, 15, 45, 35])
    picture = Image.open(io.BytesIO(example.encoded))
    assert picture.size == (100, 50)
    red, green, _ = picture.getpixel((35, 25))
    assert red > 150 > green


def test_empty_tiles_are_drawn_at_their_rate(tmp_path: Path) -> None:
    paint(tmp_path / "images/a.png", (1000, 1000), [("cup", 10, 10, 40, 40)])
    voc(tmp_path / "xml/a.xml", "a.png", (1000, 1000), [voc_object("cup", 10, 10, 40, 40)])
    words = [str(tmp_path / "xml"), "--images", str(tmp_path / "images"), "--tile", "50", "--overlap", "0"]
    counts = {}
    for rate in ("0", "0.3", "1"):
        imported(words, tmp_path / rate, "--empty-tiles", rate)
        counts[rate] = len(list(examples(tmp_path / rate)))
        assert json.loads((tmp_path / rate / "import.json").read_text())["tiling"] == {
            "width": 50,
            "height": 50,
            "overlap": 0,
        }
    assert counts["0"] == 1
    assert 90 < counts["0.3"] < 150
    assert counts["1"] == 400


def test_a_tiff_larger_than_is_decoded_whole_is_read_by_windows(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    import numpy as np

    side = 7200  # 52 megapixels
    (tmp_path / "images").mkdir()
    profile = {"driver": "GTiff", "width": side, "height": side, "count": 3, "dtype": "uint8", "tiled": True}
    transform = rasterio.transform.from_origin(500_000, 5_000_000, 0.1, 0.1)
    with rasterio.open(tmp_path / "images/a.tif", "w", compress="deflate", transform=transform, **profile) as file:
        pixels = np.full((3, 200, 300), 40, np.uint8)
        pixels[0, 50:110, 80:170] = 220
        file.write(pixels, window=rasterio.windows.Window(7000 - 100, 3000, 300, 200))
    box = (6980, 3050, 7070, 3110)
    voc(tmp_path / "xml/a.xml", "a.tif", (side, side), [voc_object("cup", *box)])
    words = [str(tmp_path / "xml"), "--images", str(tmp_path / "images")]
    options = ("--tile", "640", "--overlap", "100", "--empty-tiles", "0")
    files = imported(words, tmp_path / "out", *options)
    assert "world coordinates" in files["import.json"].decode()
    whole = 0
    for _, example in examples(tmp_path / "out"):
        left, top, *_ = map(int, Path(example.filename).stem.split("_")[-4:])
        for _, *sides in pixel_boxes(example):
            if [sides[0] + left, sides[1] + top, sides[2] + left, sides[3] + top] == pytest.approx(box):
                whole += 1
                picture = Image.open(io.BytesIO(example.encoded))
                assert picture.getpixel((round(sides[0]) + 10, round(sides[1]) + 10))[0] > 180
                assert picture.getpixel((round(sides[0]) - 4, round(sides[1]) - 4))[0] < 80
    assert whole


def test_a_label_map_is_kept_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = make(tmp_path, 4)
    write(tmp_path / "map.pbtxt", "".join(f"item {{ id: {n} name: '{name}' }}\n" for n, name in
                                          ((2, "cup"), (1, "traffic light"), (4, "ball"), (3, "extra"))))  # fmt: skip
    imported(words, tmp_path / "out", "--label-map", str(tmp_path / "map.pbtxt"))
    assert labels_of(tmp_path / "out") == {2: "cup", 1: "traffic light", 4: "ball", 3: "extra"}
    assert all(each.label == {"cup": 2, "traffic light": 1, "ball": 4}[each.text]
               for _, example in examples(tmp_path / "out") for each in example.objects)  # fmt: skip
    write(tmp_path / "map.pbtxt", "item { id: 1 name: 'cup' }\n")
    options = ["--out", str(tmp_path / "other"), "--label-map", str(tmp_path / "map.pbtxt")]
    assert run_command(["data", "import", *words, *options]) == 2
    assert "is not in the label map" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_losses_are_bounded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = make(tmp_path, 20)
    for number, picture in enumerate(sorted((tmp_path / "images").rglob("*.*"))[:2]):
        picture.write_bytes(picture.read_bytes()[:60] if number else b"")
    out = ["--out", str(tmp_path / "out")]
    assert run_command(["data", "import", *words, *out]) == 2
    said = capsys.readouterr().err
    assert "2 images" in said
    assert "10.0%" in said
    assert run_command(["data", "import", *words, *out, "--skip-bad", "10%"]) == 0
    assert "skipped: 2 images" in capsys.readouterr().out


def test_records_of_a_config_and_an_experiment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `--config` writes passes the check, and is what a trial renders."""
    words = make(tmp_path, 40)
    out = tmp_path / "Drones 2024"
    imported(words, out, "--config", str(QUICK_START / "pipeline.config"))
    config = (out / "pipeline.config").read_text()
    assert "num_classes: 3" in config
    assert 'name: "test"' in config
    capsys.readouterr()
    assert run_command(["check", str(out / "experiment.yaml"), "--volume", f"data={out}"]) == 0
    assert "no errors, no warnings" in capsys.readouterr().out
    assert "name: drones-2024" in (out / "experiment.yaml").read_text()
    no_split = ["--split", "none", "--config", str(QUICK_START / "pipeline.config"), "--out", str(tmp_path / "none")]
    assert run_command(["data", "import", *words, *no_split]) == 2
    assert "no image validates" in capsys.readouterr().err


_NOT_FILLED_IN = (  # a checkpoint that somebody must name, and masks, which the records do not have
    'fine_tune_checkpoint: "PATH_TO_BE_CONFIGURED/ckpt-1"',
    "load_instance_masks: true mask_type: PNG_MASKS",
    "predict_instance_masks: true",
)
_SUPPRESSING = """post_processing { batch_non_max_suppression { score_threshold: 1e-8 iou_threshold: 0.6
  max_detections_per_class: 100 max_total_detections: 100 } score_converter: SIGMOID }"""
_BASES = {
    **ZOO,
    "centernet_with_suppression": ZOO["centernet_resnet50_v2_512x512"].replace(
        "object_detection_task {", f"{_SUPPRESSING} object_detection_task {{"
    ),
}


def test_the_experiment_fits_whatever_config_is_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of every shape that the zoo has; a CenterNet that takes peaks has no suppression to search."""
    words = make(tmp_path, 20)
    left_out = re.compile("|".join(map(re.escape, _NOT_FILLED_IN)))
    for name, given in _BASES.items():
        base, out = tmp_path / f"{name}.config", tmp_path / name
        base.write_text(left_out.sub("", given))
        imported(words, out, "--config", str(base), "--split", "validation=0.3")
        text = (out / "experiment.yaml").read_text()
        assert ("nms_iou_threshold" in text) == ("non_max_suppression" in base.read_text()), name
        capsys.readouterr()
        code = run_command(["check", str(out / "experiment.yaml"), "--volume", f"data={out}"])
        assert code == 0, capsys.readouterr().out
        assert "no errors, no warnings" in capsys.readouterr().out


def test_what_of_the_config_no_trial_takes_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A checkpoint that nobody has filled in; masks, which the records do not have."""
    base = tmp_path / "masks.config"
    base.write_text(ZOO["mask_rcnn_inception_resnet_v2_1024x1024"])
    imported(make(tmp_path, 10), tmp_path / "out", "--config", str(base), "--split", "validation=0.3")
    said = capsys.readouterr().out
    assert "with what every trial refuses: pipeline.config: train_config.fine_tune_checkpoint: " in said
    assert "pipeline.config: train_input_reader.load_instance_masks: the records have no image/object/mask" in said
    base.write_text("train_config { batch_size: 1 }")
    assert (
        run_command(["data", "import", *make(tmp_path, 3), "--out", str(tmp_path / "no"), "--config", str(base)]) == 2
    )
    assert "model: not set; a detector is one of ssd, faster_rcnn, center_net" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--split", "val=0.2"), "validation=0.2"),
        (("--split", "validation=0.7,test=0.4"), "nothing is left"),
        (("--group", "("), "regular expression"),
        (("--tile", "big"), "640"),
        (("--tile", "64", "--overlap", "64"), "overlap"),
        (("--tile", "64", "--max-side", "64"), "one of them"),
        (("--skip-bad", "many"), "percentage"),
        (("--format", "kitti"), "one of coco"),
        (("--images", "nowhere"), "no such folder"),
        (("--config", "nowhere"), "no such file"),
        (("--label-map", "nowhere"), "cannot be read"),
    ],
)
def test_wrong_options(options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = make(tmp_path, 3)[:1]
    assert run_command(["data", "import", *words, "--out", str(tmp_path / "out"), *options]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    "pattern", ["clip{0}/{1:04d}.png", "clip{0}_{1:03d}.png", "{0}{1}_jpg.rf.9f3c{1}.png", "day {0}/DJI-{1}.png"]
)
def test_films_are_told_by_their_names(pattern: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [pattern.format(film, frame) for film in "abcdefgh" for frame in range(1, 6)]
    if ".rf." in pattern:  # five copies of each of eight images
        names = [f"{film}_jpg.rf.9f3c{copy}.png" for film in "abcdefgh" for copy in range(5)]
    for number, name in enumerate(names):
        paint(tmp_path / "images" / name, SIZE, [("cup", number, 8, number + 20, 28)])
    objects = [coco_object(n, n, 1, n, 8, n + 20, 28) for n in range(len(names))]
    coco(tmp_path / "a.json", [coco_image(n, e, SIZE) for n, e in enumerate(names)], objects, categories({"cup": 1}))
    words = [str(tmp_path / "a.json"), "--images", str(tmp_path / "images")]
    imported(words, tmp_path / "out", "--split", "validation=0.3")
    assert "8 films" in capsys.readouterr().out
    found = splits(tmp_path / "out")
    homes = [{found[name] for name in names[5 * film : 5 * film + 5]} for film in range(8)]
    assert all(len(each) == 1 for each in homes)
    assert {split for each in homes for split in each} == {"train", "validation"}
    imported(words, tmp_path / "none", "--split", "validation=0.3", "--group", "none")
    assert any(len({splits(tmp_path / "none")[n] for n in names[5 * film : 5 * film + 5]}) == 2 for film in range(8))


def test_one_folder_for_both_halves_of_a_yolo_set_is_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(20):
        paint(tmp_path / "images" / f"{number}x.png", SIZE, [("cup", number, 8, number + 20, 28)])
        write(tmp_path / "labels" / f"{number}x.txt", "0 0.5 0.5 0.2 0.2\n")
    write(tmp_path / "labels" / "gone.txt", "0 0.5 0.5 0.2 0.2\n")
    write(tmp_path / "data.yaml", "train: images\nval: images\nnames: [cup]\n")
    imported([str(tmp_path / "data.yaml")], tmp_path / "out")
    said = capsys.readouterr().out
    assert "names images of train" in said
    assert "labels/gone.txt: no image" in said
    assert set(splits(tmp_path / "out").values()) == {"train", "validation", "test"}
