"""Wrong requests: one clear line, exit code 2, before TensorFlow is imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import write_config
from tests.records import features, without_boxes, without_rows, write
from tests.trials import run, train_arguments


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--set=learning_rate=-1"], "it must be above 0"),
        (["--set=nms_iou_threshold=1.7"], "it must be from 0 to 1"),
        (["--set=batch_size=0"], "it must be at least 1"),
        (["--set=batch_size=big"], "is no whole number"),
        (["--set=batch_size=2", "--set=train_config.batch_size=4"], "is assigned twice"),
        (["--set=lerning_rate=1"], 'the nearest is "learning_rate"'),
        (["--set=learning_rate"], "joined by an equals sign"),
        (["--set=fine_tune_checkpoint=nowhere/ckpt-0"], "no checkpoint has this prefix"),
        (["--num_train_steps=0"], "must be at least 1"),
        (["--score_threshold=2"], "must be from 0 to 1"),
        (["--eval_every_n=x"], "invalid"),
        (["--learning_rate=1"], "unrecognized arguments"),
        (["--model_dir=gs://"], "gs://: write gs://BUCKET/PREFIX"),
    ],
)
def test_a_wrong_argument(data: Path, tmp_path: Path, arguments: list[str], says: str) -> None:
    ended = run(*train_arguments(data / "pipeline.config", tmp_path / "model", *arguments))
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.reason
    assert len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "model").exists()


def no_boxes(data: Path) -> None:
    image = features(0)
    without_boxes(image)
    write(data / "train.record", [image])


def unlike(data: Path) -> None:
    (data / "label_map.pbtxt").write_text("item { id: 1 name: 'only' }")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda data: (data / "pipeline.config").unlink(), "no such file"),
        (lambda data: (data / "pipeline.config").write_bytes(b"\xff\xfea\0"), "is UTF-16"),
        (lambda data: write_config(data, num_classes="num_clases"), ':5:5: Ssd has no field "num_clases"'),
        (lambda data: (data / "train.record").unlink(), "train.record: no such file"),
        (lambda data: (data / "train.record").write_bytes(b""), "empty"),
        (lambda data: (data / "train.record").write_bytes(b"not a record"), "is a text, no TFRecord"),
        (no_boxes, "no record has a box"),
        (unlike, "num_classes: is 5, but the label map"),
    ],
)
def test_wrong_files(data: Path, tmp_path: Path, damage: Callable[[Path], object], says: str) -> None:
    damage(data)
    ended = run(*train_arguments(data / "pipeline.config", tmp_path / "model"))
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.reason
    assert len(ended.err.strip().splitlines()) == 1


def test_an_unknown_command() -> None:
    ended = run("tune")
    assert ended.code == 2
    assert "there are train, evaluate, export, detect, build, fetch, stop, serve" in ended.reason


def test_a_socket_that_cannot_be_made(tmp_path: Path) -> None:
    for arguments, says in (
        ([], "SOCKET"),
        ([str(tmp_path)], "no socket can be made there"),
        (["x" * 200], "too long"),
    ):
        ended = run("serve", *arguments)
        assert ended.code == 2
        assert says in ended.reason


def test_a_record_whose_data_is_corrupt_is_named(data: Path, tmp_path: Path) -> None:
    """The framing is right, so only reading the images finds it."""
    record = bytearray((data / "validation.record").read_bytes())
    record[500] ^= 0xFF
    (data / "validation.record").write_bytes(bytes(record))
    ended = run(*train_arguments(data / "pipeline.config", tmp_path / "model", "--num_train_steps=1"))
    assert ended.code == 2
    assert "record 0: is corrupt at byte 0" in ended.reason


def test_an_image_that_is_none_is_refused_before_tensorflow_is_loaded(data: Path, tmp_path: Path) -> None:
    write(data / "train.record", [features(0), features(1) | {"image/encoded": b"no image"}])
    ended = run(*train_arguments(data / "pipeline.config", tmp_path / "model"))
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.err.strip().splitlines()
    assert "train.record: record 1: image/encoded: is no image" in line


def test_an_image_that_only_decoding_finds_broken_is_a_data_error(data: Path, tmp_path: Path) -> None:
    image = features(0) | {"image/encoded": without_rows()}
    del image["image/object/class/text"]  # the label map's are others
    write(data / "train.record", [image])
    ended = run(*train_arguments(data / "pipeline.config", tmp_path / "model"))
    assert ended.code == 2, ended.err
    assert "train.record: record 0: cannot be read: " in ended.reason
    assert "{{" not in ended.reason


def test_a_model_that_the_api_cannot_build_is_a_wrong_request(data: Path, tmp_path: Path) -> None:
    known = "truncated_normal_initializer { mean: 0.0 stddev: 0.03 }"
    config = write_config(data, **{known: 'keras_initializer_by_name: "no_such"'})
    ended = run(*train_arguments(config, tmp_path / "model"))
    assert ended.code == 2, ended.err
    assert "cannot build a model" in ended.reason
    assert "no_such" in ended.reason


def test_an_extractor_that_there_is_not_is_refused_with_the_nearest(data: Path, tmp_path: Path) -> None:
    config = write_config(data, ssd_mobilenet_v2_keras="ssd_mobilenet_v9_keras")
    ended = run(*train_arguments(config, tmp_path / "model"))
    assert ended.code == 2, ended.err
    assert "model.ssd.feature_extractor.type" in ended.reason
    assert "the nearest that it has is ssd_mobilenet_v2_keras" in ended.reason
