"""`boxtune data check`: what is wrong within splits and between them, told with its place and its count."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from boxtune.cli.main import run_command
from boxtune.data.checking.record_check import RecordCheck, check_records
from boxtune.data.record_files import find_records
from tests.conftest import write_config
from tests.records import (
    BBOX,
    ENCODED,
    LABEL,
    NAMES,
    TEXT,
    Features,
    config_of,
    features,
    label_map,
    picture,
    without_rows,
    write,
)
from trial_entry.finding import Finding

TRAIN, VALIDATION = 30, 6  # images


def made(folder: Path, first: int, count: int, change: Callable[[Features], object] | None = None) -> list[Features]:
    images = [features(first + number) for number in range(count)]
    if change is not None:
        for image in images:
            change(image)
    return images


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A folder as an import leaves it: train in three shards, validation in one, and the label map."""
    images = made(tmp_path, 0, TRAIN)
    for shard in range(3):
        write(tmp_path / f"train-0000{shard}-of-00003", images[shard * 10 : shard * 10 + 10])
    write(tmp_path / "validation-00000-of-00001", made(tmp_path, 100, VALIDATION))
    label_map(tmp_path / "label_map.pbtxt")
    return tmp_path


def checked(folder: Path, **options: Any) -> RecordCheck:
    return check_records(find_records([str(folder)]), **options)


def found_in(check: RecordCheck, words: str) -> Finding:
    (found,) = [each for each in check.findings if words in str(each)]
    return found


def test_sound_records_are_counted_and_left_alone(sound: Path) -> None:
    check = checked(sound)
    assert list(check.findings) == []
    assert check.counts() == {
        "train": {"images": 30, "empty": 0, "objects": 60, "classes": dict.fromkeys(NAMES, 20)},
        "validation": {"images": 6, "empty": 0, "objects": 12, "classes": dict.fromkeys(NAMES, 4)},
    }


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_processes_change_nothing(sound: Path, processes: int) -> None:
    images = made(sound, 200, 150)
    images[70][BBOX + "xmax"][0] = 7.0
    images[140][ENCODED] = b"none"
    write(sound / "train-00001-of-00003", images)
    check = checked(sound, processes=processes)
    assert check.findings == checked(sound, processes=1).findings
    places = {(Path(each.file).name, each.record) for each in check.findings}
    assert places == {("train-00001-of-00003", 70), ("train-00001-of-00003", 140)}


def test_an_image_of_two_splits_is_a_leak(sound: Path) -> None:
    write(sound / "validation-00000-of-00001", [*made(sound, 100, 2), features(17), features(18)])
    found = found_in(checked(sound), "are in train too")
    assert (found.severity, Path(found.file).name, found.record) == ("warning", "validation-00000-of-00001", 2)
    assert found.what.startswith("2 of 4 images of validation")
    assert found.what.endswith("train-00001-of-00003: record 7")


def test_an_image_that_is_nearly_one_of_another_split_is_a_leak(sound: Path) -> None:
    again = features(100) | {ENCODED: picture(23, kind="JPEG", quality=60)}
    write(sound / "validation-00000-of-00001", [*made(sound, 110, 3), again])
    write(sound / "test-00000-of-00001", made(sound, 300, 2))
    found = found_in(checked(sound), "nearly the same")
    assert (Path(found.file).name, found.record) == ("validation-00000-of-00001", 3)
    assert found.what.startswith("1 of 4 images of validation are nearly the same as one of train")
    assert found.what.endswith("train-00002-of-00003: record 3")
    assert "--keep-together" in found.right


def test_an_image_twice_in_a_split_is_said(sound: Path) -> None:
    write(sound / "train-00002-of-00003", [*made(sound, 20, 9), features(3)])
    found = found_in(checked(sound), "are there before")
    assert (Path(found.file).name, found.record) == ("train-00002-of-00003", 9)
    assert found.what.endswith("this one as " + str(sound / "train-00000-of-00003") + ": record 3")


def test_a_class_that_a_split_lacks_and_a_rare_one_are_named(sound: Path) -> None:
    def no_tram(image: Features) -> None:
        image.update({LABEL: [1, 2], TEXT: [b"car", b"bus"]})

    write(sound / "validation-00000-of-00001", made(sound, 100, VALIDATION, no_tram))
    for shard in range(3):
        write(sound / f"train-0000{shard}-of-00003", [*made(sound, shard * 10, 9, no_tram), features(shard * 10 + 1)])
    check = checked(sound)
    assert found_in(check, "no object of").what.startswith('no object of "tram" (1 of 3 classes)')
    assert 'few objects of "tram" (2); the commonest, ' in found_in(check, "few objects").what


def test_images_that_tensorflow_reads_otherwise_are_said(sound: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    odd = {
        "is CMYK": picture(1, "CMYK", kind="JPEG"),
        "is turned by EXIF": picture(2, kind="JPEG", exif=exif),
        "has several frames": picture(3, save_all=True, append_images=[Image.new("RGB", (96, 64))]),
        "does not decode": without_rows(),
    }
    write(sound / "train-00001-of-00003", [features(n) | {ENCODED: image} for n, image in enumerate(odd.values(), 50)])
    check = checked(sound)
    for number, words in enumerate(odd):
        found = found_in(check, words)
        assert (found.record, found.feature) == (number, ENCODED)
        assert found.severity == ("error" if words == "does not decode" else "warning")


def test_empty_images_are_said_where_they_are_the_most(sound: Path) -> None:
    images = made(sound, 100, 6)
    for image in images[2:]:
        for name in [name for name in image if name.startswith("image/object")]:
            del image[name]
    write(sound / "validation-00000-of-00001", images)
    check = checked(sound)
    assert check.counts()["validation"]["empty"] == 4
    assert found_in(check, "have no box").record == 2


def test_a_shard_that_is_missing_is_an_error(sound: Path) -> None:
    (sound / "train-00001-of-00003").unlink()
    found = found_in(checked(sound), "shards")
    assert found.severity == "error"
    assert '1 of 3 shards are not there: "train-00001-of-00003"' in found.what


def test_objects_too_small_for_the_model_are_counted(sound: Path) -> None:
    def small(image: Features) -> None:
        for low, high in (("xmin", "xmax"), ("ymin", "ymax")):
            image[BBOX + high] = [image[BBOX + low][0] + 0.03, image[BBOX + high][1]]

    images = [*made(sound, 20, 4), *made(sound, 24, 6, small)]
    write(sound / "train-00002-of-00003", images)
    write(sound / "train.record", images)
    write(sound / "validation.record", images)
    config = config_of(sound)
    for name in ("train.record", "validation.record"):
        (sound / name).unlink()
    check = checked(sound, config=config)
    assert "6 of 60 objects of train are smaller than the smallest anchor" in str(check.findings[0])
    found = found_in(check, "thinner than one stride of the feature map (16 pixels)")
    assert (Path(found.file).name, found.record) == ("train-00002-of-00003", 4)
    assert "boxtune data priors" in found.right


def test_the_command_prints_lines_and_says_by_its_code(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["data", "check", str(sound)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "train: 30 images, 0 without a box, 60 objects (car 20, bus 20, tram 20)",
        "validation: 6 images, 0 without a box, 12 objects (car 4, bus 4, tram 4)",
        f"{sound}: no errors, no warnings",
    ]
    write(sound / "validation-00000-of-00001", [features(100) | {ENCODED: b"none"}])
    assert run_command(["data", "check", str(sound), "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["splits"]["train"]["classes"] == {"car": 20, "bus": 20, "tram": 20}
    (found,) = [each for each in said["findings"] if each["severity"] == "error"]
    assert (found["record"], found["feature"], found["records"]) == (0, ENCODED, 1)
    assert found["text"].startswith(f"{sound}/validation-00000-of-00001: record 0: image/encoded: is no image")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "no such record file"),
        (["train-*"], "no file matches"),
        ([".", "--config", "none.config"], "no such file"),
        ([".", "--label-map", "none.pbtxt"], "none.pbtxt"),
    ],
)
def test_what_is_not_there_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: Sequence[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "all.record", [features(0)])
    assert run_command(["data", "check", *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert says in line


def test_the_config_brings_its_label_map_and_its_classes(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label_map(sound / "other.pbtxt", ["car", "bus"])
    (sound / "label_map.pbtxt").unlink()
    config = write_config(
        sound.parent, **{"num_classes: 5": "num_classes: 3", "label_map.pbtxt": f"{sound.name}/other.pbtxt"}
    )
    assert run_command(["data", "check", str(sound), "--config", str(config)]) == 2
    said = capsys.readouterr().out
    assert "error: model.ssd.num_classes: is 3, but the label map has 2 classes; write 2" in said
    assert '"tram" (20 of 60 boxes)' in said


def test_without_a_label_map_that_is_said(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sound / "label_map.pbtxt").unlink()
    assert run_command(["data", "check", str(sound)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("note: no label map")
    assert said[1] == "train: 30 images, 0 without a box, 60 objects (1 20, 2 20, 3 20)"
