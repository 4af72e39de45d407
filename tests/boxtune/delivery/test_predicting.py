"""`boxtune predict` on a detector that has learned something."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxtune.data.importing.tiling import Tiling
from tests.detectors import images_of
from tests.experiments import boxtune
from tests.trials import Ended
from trial_entry.contract.exports import TilingRecord, read_metadata
from trial_entry.contract.json_records import to_json
from trial_entry.images.pixels import TAG
from trial_entry.model_dir import write_json


@pytest.fixture(scope="module")
def pictures(ssd: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Twelve of the validation images."""
    return images_of(ssd, tmp_path_factory.mktemp("pictures"))[:12]


@pytest.fixture
def export(exported: tuple[Path, Ended], tmp_path: Path) -> Path:
    """A copy of the detector's export."""
    return Path(shutil.copytree(exported[0], tmp_path / "export"))


def coco(folder: Path) -> Any:
    return json.loads((folder / "predictions.json").read_text())


def boxes_of(found: Any, image: int) -> list[tuple[int, list[float], float]]:
    return [
        (each["category_id"], each["bbox"], each["score"]) for each in found["annotations"] if each["image_id"] == image
    ]


def test_predictions_are_what_pycocotools_reads(export: Path, pictures: list[Path], tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    out = tmp_path / "predictions"
    (pictures[0].parent / "notes.txt").write_text("no image, and not looked at")
    ended = boxtune("predict", export, *pictures[:8], "--out", out, "--score-threshold", "0.2")
    assert ended.code == 0, ended.err
    found = coco(out)
    truth = COCO(str(out / "predictions.json"))
    assert len(truth.loadRes(str(out / "results.json")).anns) == len(found["annotations"]) > 5
    assert [each["file_name"] for each in found["images"]] == [each.name for each in pictures[:8]]
    assert {each["name"] for each in found["categories"]} == {"0", "1", "2", "3", "4"}
    assert all(each["score"] >= 0.2 for each in found["annotations"])
    assert f"8 images, {len(found['annotations'])} objects from 0.2 on: " in ended.out
    assert "images a second" in ended.out
    for each in pictures[:8]:
        with Image.open(out / "drawn" / f"{each.name}.jpg") as drawn:
            assert drawn.size == (384, 384)


def test_a_batch_finds_what_single_images_do(export: Path, pictures: list[Path], tmp_path: Path) -> None:
    arguments = ("predict", export, pictures[0].parent, "--no-draw", "--score-threshold", "0.1")
    for size in ("1", "8"):
        assert boxtune(*arguments, "--out", tmp_path / size, "--batch-size", size).code == 0
    one, eight = coco(tmp_path / "1"), coco(tmp_path / "8")
    assert len(one["images"]) == 30
    assert len(one["annotations"]) == len(eight["annotations"])
    for first, second in zip(one["annotations"], eight["annotations"], strict=True):
        assert first["score"] == pytest.approx(second["score"], abs=1e-4)
        assert first["bbox"] == pytest.approx(second["bbox"], abs=0.05)


def test_a_turned_image_is_seen_upright(export: Path, pictures: list[Path], tmp_path: Path) -> None:
    """The same pixels stored sideways, with EXIF that says so: the same boxes."""
    with Image.open(pictures[1]) as image:
        exif = Image.Exif()
        exif[TAG] = 6
        image.convert("RGB").transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    arguments = ("--no-draw", "--score-threshold", "0.1", "--out", tmp_path / "out")
    assert boxtune("predict", export, pictures[1], tmp_path / "turned.png", *arguments).code == 0
    found = coco(tmp_path / "out")
    assert boxes_of(found, 1) == boxes_of(found, 2) != []


def test_a_large_image_is_looked_at_in_tiles(export: Path, pictures: list[Path], tmp_path: Path) -> None:
    """A mosaic of images: cut between them it has what each has; the training's tiles are taken without being asked."""
    mosaic = Image.new("RGB", (4 * 128, 3 * 128))
    for place, file in enumerate(pictures):
        with Image.open(file) as image:
            mosaic.paste(image, (place % 4 * 128, place // 4 * 128))
    mosaic.save(tmp_path / "mosaic.png")
    write_json(
        export / "metadata.json", {**to_json(read_metadata(export)), "tiling": to_json(TilingRecord(128, 128, 0))}
    )
    arguments = ("--no-draw", "--score-threshold", "0.1", "--out")
    ended = boxtune("predict", export, tmp_path / "mosaic.png", *arguments, tmp_path / "cut")
    assert ended.code == 0, ended.err
    assert "1 image in 12 tiles" in ended.out
    assert boxtune("predict", export, *pictures, "--tile", "none", *arguments, tmp_path / "single").code == 0
    single, cut = coco(tmp_path / "single"), coco(tmp_path / "cut")
    moved = [
        (label, [box[0] + place % 4 * 128, box[1] + place // 4 * 128, *box[2:]], score)
        for place in range(12)
        for label, box, score in boxes_of(single, place + 1)
    ]
    found = boxes_of(cut, 1)
    assert len(found) == len(moved)
    for one, other in zip(
        sorted(found, key=lambda each: -each[2]), sorted(moved, key=lambda each: -each[2]), strict=True
    ):
        assert one[2] == pytest.approx(other[2], abs=1e-4)
    assert boxtune("predict", export, tmp_path / "mosaic.png", *arguments, tmp_path / "a", "--tile", "128").code == 0
    tiles = len(Tiling(128, 128, 26, 1.0).windows((512, 384)))
    assert tiles == 20
    assert coco(tmp_path / "a")["annotations"]


def test_an_orthophoto_is_read_by_windows(export: Path, pictures: list[Path], tmp_path: Path) -> None:
    with Image.open(pictures[0]) as image:
        large = Image.new("RGB", (8000, 6400))
        large.paste(image.resize((2000, 2000)), (100, 100))
    large.save(tmp_path / "large.tif", compression="tiff_deflate")
    arguments = ("--out", tmp_path / "out", "--score-threshold", "0.1")
    ended = boxtune("predict", export, tmp_path / "large.tif", "--tile", "4000", *arguments)
    assert ended.code == 0, ended.err
    found = coco(tmp_path / "out")
    assert [(each["width"], each["height"]) for each in found["images"]] == [(8000, 6400)]
    assert found["annotations"]
    with Image.open(tmp_path / "out" / "drawn" / "large.tif.jpg") as drawn:
        assert drawn.size == (1600, 1280)
        assert np.asarray(drawn)[:400, :400].max() > 100
    ended = boxtune("predict", export, tmp_path / "large.tif", *arguments)
    assert ended.code == 2
    assert "read in tiles alone; give --tile" in ended.err


def test_images_that_are_none_are_named_and_the_others_go_on(
    export: Path, pictures: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(pictures[0].read_bytes()[:500])
    out = ("--out", tmp_path / "out", "--no-draw")
    ended = boxtune("predict", export, broken, pictures[0], *out)
    assert ended.code == 0
    [line] = [line for line in ended.err.splitlines() if "broken.jpg" in line]
    assert line.startswith("note: ")
    assert "truncated" in line
    assert len(coco(tmp_path / "out")["images"]) == 1
    ended = boxtune("predict", export, broken, pictures[0], *out, "--strict")
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith("boxtune: 1 of 2 images could not be read, ")
    assert boxtune("predict", export, broken, *out).code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{export}", "{export}/nothing.jpg"], "nothing.jpg: no such image or folder"),
        (["{export}", "{export}/*.jpg"], "no file matches"),
        (["{export}", "{export}/saved_model"], "no image in this folder"),
        (["{export}/none", "{export}"], "no such folder; name a model that boxtune export has exported"),
        (["{export}/saved_model", "{export}"], "no pipeline.config here"),
        (["{export}", "{export}", "--tile", "big"], '--tile "big": write 640, or 640x480'),
    ],
)
def test_bad_input_is_one_line(export: Path, arguments: list[str], says: str, tmp_path: Path) -> None:
    ended = boxtune("predict", *(each.format(export=export) for each in arguments), folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "predictions").exists()
