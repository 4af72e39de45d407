"""The built-in data set."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from boxtune.demo.digits import DigitsSpec, make_digits
from tests.experiments import boxtune
from trial_entry.records.examples import decode_example
from trial_entry.records.label_map import read_label_map
from trial_entry.records.tfrecord import read_records

SMALL = DigitsSpec(train_images=12, validation_images=6, test_images=6)


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    first, same = (make_digits(tmp_path / name, SMALL) for name in "ab")
    other = make_digits(tmp_path / "c", DigitsSpec(train_images=12, validation_images=6, seed=1))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in same]
    assert first[0].read_bytes() != other[0].read_bytes()


def test_every_image_has_boxes_within_it_and_labels_of_the_map(tmp_path: Path) -> None:
    *records, label_map = make_digits(tmp_path, SMALL)
    assert len(records) == 3
    labels = read_label_map(label_map, SMALL.classes).labels
    for file in records:
        for number, record in enumerate(read_records(file)):
            features = decode_example(record, f"{file}: {number}")
            image = Image.open(io.BytesIO(features["image/encoded"][0]))
            assert image.size == (SMALL.image_size, SMALL.image_size)
            boxes = [features[f"image/object/bbox/{side}"] for side in ("xmin", "xmax", "ymin", "ymax")]
            assert 1 <= len(boxes[0]) <= SMALL.most_digits
            for left, right, top, bottom in zip(*boxes, strict=True):
                assert 0 <= left < right <= 1
                assert 0 <= top < bottom <= 1
            for label, text in zip(
                features["image/object/class/label"], features["image/object/class/text"], strict=True
            ):
                assert labels[label] == text.decode()


def test_the_command_makes_them(tmp_path: Path) -> None:
    done = boxtune("demo", tmp_path / "data", "--train-images", "3", "--validation-images", "2", "--test-images", "2")
    assert done.code == 0, done.err
    assert done.out.split() == [
        str(tmp_path / "data" / name)
        for name in ("train.record", "validation.record", "test.record", "label_map.pbtxt")
    ]
    (tmp_path / "file").touch()
    refused = boxtune("demo", tmp_path / "file" / "data")
    assert refused.code == 2
    assert "cannot be written" in refused.reason
