"""What a config reads of records besides boxes and classes: each that lacks it is named before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.records import BBOX, ENCODED, LABEL, OBJECT, Features, config_of, features, label_map, without_boxes, write
from trial_entry.finding import Finding
from trial_entry.pipeline_config.checks import findings
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.dataset import look

PIXELS = 96 * 64
KEYPOINTS = {OBJECT + "keypoint/x": [0.1] * 4, OBJECT + "keypoint/y": [0.2] * 4}
POSE = {
    OBJECT + "densepose/num": [1, 2],
    OBJECT + "densepose/part_index": [1, 2, 3],
    **{OBJECT + f"densepose/{name}": [0.1] * 3 for name in "xyuv"},
}
CONTEXT: Features = {"image/context_feature_length": [4], "image/context_features": [0.5] * 8}
# How the reader asks, and what gives it that.
ASKED: dict[str, tuple[Callable[[TrainEvalPipelineConfig], object], Features]] = {
    "load_instance_masks": (
        lambda config: _read(config, load_instance_masks=True),
        {OBJECT + "mask": [1.0] * (2 * PIXELS)},
    ),
    "load_instance_masks as PNG": (
        lambda config: _read(config, load_instance_masks=True, mask_type=2),
        {OBJECT + "mask": [b"png", b"png"]},
    ),
    "num_keypoints": (lambda config: _read(config, num_keypoints=2), KEYPOINTS),
    "load_dense_pose": (lambda config: _read(config, load_dense_pose=True), POSE),
    "load_track_id": (lambda config: _read(config, load_track_id=True), {OBJECT + "track/label": [1, 2]}),
    "load_context_features": (lambda config: _read(config, load_context_features=True), CONTEXT),
    "num_additional_channels": (
        lambda config: _read(config, num_additional_channels=1),
        {"image/additional_channels/encoded": [b"png"]},
    ),
}


def _read(config: TrainEvalPipelineConfig, **asked: object) -> None:
    for name, value in asked.items():
        setattr(config.train_input_reader, name, value)


def written(folder: Path, more: Features, last: Features | None = None) -> TrainEvalPipelineConfig:
    """A config of two images with `more`, of which the second has `last` instead."""
    label_map(folder / "label_map.pbtxt")
    images = [features(number) | (more if number < 1 or last is None else last) for number in range(2)]
    write(folder / "train.record", images)
    write(folder / "validation.record", [features(number) for number in range(2, 4)])
    return config_of(folder)


def errors(config: TrainEvalPipelineConfig) -> list[Finding]:
    return [each for each in look(config) if each.severity == "error"]


@pytest.mark.parametrize("name", ASKED)
def test_what_is_there_is_enough(tmp_path: Path, name: str) -> None:
    ask, given = ASKED[name]
    config = written(tmp_path, given)
    ask(config)
    assert not errors(config)


@pytest.mark.parametrize("name", ASKED)
def test_the_first_record_that_lacks_it_is_named(tmp_path: Path, name: str) -> None:
    ask, given = ASKED[name]
    config = written(tmp_path, given, {})
    ask(config)
    found = errors(config)
    assert found
    for each in found:
        assert (Path(each.file).name, each.record, each.records) == ("train.record", 1, 1)
        assert f"train_input_reader.{name.partition(' ')[0]} reads it" in each.what
        assert "is missing" in each.what


def test_an_image_without_boxes_needs_no_masks(tmp_path: Path) -> None:
    ask, given = ASKED["load_instance_masks"]
    config = written(tmp_path, given)
    ask(config)
    empty = features(1)
    without_boxes(empty)
    write(tmp_path / "train.record", [features(0) | given, empty])
    assert not errors(config)


def test_numbers_and_types_are_compared(tmp_path: Path) -> None:
    config = written(tmp_path, {OBJECT + "mask": [b"png"]})
    _read(config, load_instance_masks=True, mask_type=2)
    assert "has 1 value for 2 boxes, and train_input_reader.load_instance_masks reads 2" in errors(config)[0].what
    _read(config, mask_type=1)
    [wrong] = errors(config)
    assert wrong.what == "is bytes, and train_input_reader.load_instance_masks reads it"
    assert wrong.right == "it must be float"


def test_a_task_needs_its_reader_and_a_reader_its_model(tmp_path: Path) -> None:
    config = written(tmp_path, {})
    config.model.ClearField("ssd")
    config.model.center_net.num_classes = 3
    config.model.center_net.mask_estimation_task.SetInParent()
    config.model.center_net.keypoint_estimation_task.add()
    found = {each.feature: each.what for each in findings(config) if each.severity == "error"}
    for reader in ("train_input_reader", "eval_input_reader.0"):
        assert "mask_estimation_task needs it" in found[f"{reader}.load_instance_masks"]
        assert "keypoint_estimation_task needs it" in found[f"{reader}.num_keypoints"]
    assert "model.center_net.keypoint_label_map_path" in found
    _read(config, load_context_features=True)
    config.train_config.use_multiclass_scores = True
    found = {each.feature: each.what for each in findings(config) if each.severity == "error"}
    assert "context_config" in found["train_input_reader.load_context_features"]
    assert "load_multiclass_scores" in found["train_config.use_multiclass_scores"]


def test_keypoints_are_those_of_the_label_map(tmp_path: Path) -> None:
    config = written(tmp_path, KEYPOINTS)
    config.model.ClearField("ssd")
    net = config.model.center_net
    net.num_classes, net.keypoint_label_map_path = 3, str(tmp_path / "label_map.pbtxt")
    net.keypoint_estimation_task.add().keypoint_class_name = "car"
    _read(config, num_keypoints=2)
    [wrong] = errors(config)
    assert wrong.feature == "model.center_net.keypoint_estimation_task.0.keypoint_class_name"
    assert '"car" has no keypoints' in wrong.what
    items = "item { id: 1 name: 'car' keypoints { id: 1 label: 'wheel' } keypoints { id: 2 label: 'lamp' } }"
    (tmp_path / "label_map.pbtxt").write_text(f"{items} item {{ id: 2 name: 'bus' }} item {{ id: 3 name: 'tram' }}")
    [wrong] = errors(config)
    assert (wrong.feature, wrong.right) == ("train_input_reader.num_keypoints", "set 3")
    _read(config, num_keypoints=3)
    net.keypoint_estimation_task[0].keypoint_label_to_std["door"] = 0.1
    said = [each for each in look(config) if "keypoint_label_to_std" in each.feature]
    assert ['"door" is no keypoint of car' in each.what for each in said] == [True]


def test_features_of_another_name_are_found(tmp_path: Path) -> None:
    config = written(tmp_path, {})
    image = features(0)
    for side in ("xmin", "ymin", "xmax", "ymax"):
        image[f"{BBOX}{side[0]}_{side[1:]}"] = image.pop(BBOX + side)
    write(tmp_path / "train.record", [image])
    assert any("image/object/bbox/x_min, which nothing reads" in str(each) for each in errors(config))
    image = features(0)
    image["image/encode"] = image.pop(ENCODED)
    image[OBJECT + "class/labels"] = image.pop(LABEL)
    del image[OBJECT + "class/text"]
    write(tmp_path / "train.record", [image])
    found = " ".join(map(str, errors(config)))
    assert "it has image/encode, which nothing reads" in found
    assert "it has image/object/class/labels, which nothing reads" in found
