"""Trainings that read keypoints: a CenterNet that learns them, and an SSD whose evaluation reads none."""

from __future__ import annotations

from pathlib import Path

from tests.forks import Run
from tests.records import OBJECT, features, label_map, without_boxes, without_rows, write
from tests.trials import train_arguments

CASES = Path(__file__).parents[1] / "faults" / "configs"
_OF_CENTER_NET = CASES / "07-keypoints-masks-weights"


def data(folder: Path) -> None:
    """Images with two keypoints a box, one without boxes."""
    points = {
        OBJECT + "keypoint/x": [0.3, 0.4, 0.15, 0.2],
        OBJECT + "keypoint/y": [0.3, 0.4, 0.7, 0.8],
        OBJECT + "keypoint/visibility": [2, 2, 2, 0],
    }
    images = [features(number, size=(96, 96)) | points for number in range(8)]
    without_boxes(images[3])
    write(folder / "train.record", images)
    write(folder / "validation.record", [features(number, size=(96, 96)) | points for number in range(20, 24)])


def test_a_center_net_learns_keypoints(tmp_path: Path, forked: Run) -> None:
    data(tmp_path)
    (tmp_path / "label_map.pbtxt").write_text((_OF_CENTER_NET / "keypoints.pbtxt").read_text())
    config = (_OF_CENTER_NET / "center-net-keypoints.config").read_text()
    path = tmp_path / "pipeline.config"
    path.write_text(config.replace("eval_input_reader {", "eval_input_reader { num_keypoints: 2"))
    ended = forked(*train_arguments(path, tmp_path / "model", "--num_train_steps=1"))
    assert ended.code == 0, ended.err
    assert "mAP" in {name for _, name, _ in ended.metrics}


def test_an_evaluation_that_reads_none_knows_nothing_of_the_training_s(tmp_path: Path, forked: Run) -> None:
    data(tmp_path)
    label_map(tmp_path / "label_map.pbtxt")
    path = tmp_path / "pipeline.config"
    config = (CASES / "small.config").read_text()
    path.write_text(config.replace("train_input_reader {", "train_input_reader { num_keypoints: 2"))
    ended = forked(*train_arguments(path, tmp_path / "model", "--num_train_steps=1"))
    assert ended.code == 0, ended.err


def test_a_record_of_the_evaluation_that_only_decoding_finds_broken_is_named(tmp_path: Path, forked: Run) -> None:
    data(tmp_path)
    label_map(tmp_path / "label_map.pbtxt")
    images = [features(number) for number in range(20, 24)]
    images[2]["image/encoded"] = without_rows()
    write(tmp_path / "validation.record", images)
    path = tmp_path / "pipeline.config"
    path.write_text((CASES / "small.config").read_text())
    ended = forked(*train_arguments(path, tmp_path / "model", "--num_train_steps=1"))
    assert ended.code == 2, ended.err
    assert "validation.record: record 2: cannot be read: Invalid PNG data" in ended.reason
