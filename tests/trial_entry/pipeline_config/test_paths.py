"""Paths and checkpoint names that no trial can open are refused by what they are; those that it can are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import write_config
from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.checks import findings
from trial_entry.pipeline_config.existing import existing_file, existing_prefix
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.rules.checkpoint import name_fault
from trial_entry.pipeline_config.rules.paths import path_fault
from trial_entry.pipeline_config.text import read_config

WRONG = {
    "PATH_TO_BE_CONFIGURED": "placeholder",
    "PATH_TO_BE_CONFIGURED/train-?????-of-00256.tfrecord": "placeholder",
    "<your path>/train.record": "placeholder",
    "/path/to/train.record": "placeholder",
    "YOUR_DATA_DIR/train.record": "placeholder",
    "C:\\data\\train.record": "Windows",
    "C:/data/train.record": "Windows",
    "data\\train.record": "Windows",
    "C:\\data\train.record": "control character",
    "$DATA/train.record": "variable",
    "${DATA}/train.record": "variable",
    "%DATA%/train.record": "variable",
    "{{ data }}/train.record": "variable",
    "{data_dir}/train.record": "variable",
    "/data/train.record@10": "@10",
    "/data/train@*": "@*",
    "/data/a.record,/data/b.record": "comma",
    "a.record, b.record": "comma",
    "https://storage.googleapis.com/bucket/train.record": "address",
    "file:///data/train.record": "address",
    "gs:/bucket/train.record": "begins with gs:/",
    " /data/train.record": "blank",
    "/data/train.record\n": "control character",
}
RIGHT = (
    "/data/train.record",
    "train.record",
    "../data/train-*-of-00010",
    "gs://bucket/a/train-?????-of-00010",
    "s3://bucket/train.record",
    "minio://bucket/train.record",
    "/data/my data/train (1).record",
    "/data/MY_DATA/[0-9].record",
    "/data/v1,2/train.record",
    "/home/käthe/train.record",
    "/data/train@home.record",
)


@pytest.mark.parametrize(("path", "says"), WRONG.items())
def test_a_path_that_no_trial_can_open(path: str, says: str) -> None:
    wrong = path_fault(path)
    assert wrong is not None
    assert says in wrong[0]
    assert wrong[1]


@pytest.mark.parametrize("path", RIGHT)
def test_a_path_that_it_can(path: str) -> None:
    assert path_fault(path) is None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("/m/ckpt-0.index", "write /m/ckpt-0"),
        ("/m/ckpt-0.data-00000-of-00001", "write /m/ckpt-0"),
        ("/m/model.ckpt-123.meta", "write /m/model.ckpt-123"),
        ("/m/saved_model", "is a SavedModel"),
        ("/m/saved_model/saved_model.pb", "is a SavedModel"),
        ("/m/frozen_inference_graph.pb", "is a frozen graph"),
        ("/m/weights.h5", "Keras"),
        ("/m/model.tflite", "TensorFlow Lite"),
        ("/m/ssd.tar.gz", "unpack it"),
        ("/m/checkpoint", "name one of them: /m/checkpoint/ckpt-0"),
        ("/m/", "name one of them: /m/ckpt-0"),
    ],
)
def test_a_name_that_is_no_checkpoint(name: str, says: str) -> None:
    wrong = name_fault(name)
    assert wrong is not None
    assert says in "; ".join(wrong)


@pytest.mark.parametrize("name", ["/m/ckpt-0", "/m/model.ckpt-123", "/m/checkpoint/ckpt-0", "gs://b/resnet50.ckpt-1"])
def test_a_name_that_is_one(name: str) -> None:
    assert name_fault(name) is None


@pytest.fixture
def config(tmp_path: Path) -> TrainEvalPipelineConfig:
    config = read_config(write_config(tmp_path))
    config.train_config.fine_tune_checkpoint = "/m/ckpt-0"
    config.train_config.fine_tune_checkpoint_version = 2
    return config


@pytest.mark.parametrize("kind", ["", "detection", "classification", "full"])
def test_types_that_a_model_takes(config: TrainEvalPipelineConfig, kind: str) -> None:
    config.train_config.fine_tune_checkpoint_type = kind
    assert not [each for each in findings(config) if each.severity == "error"]


@pytest.mark.parametrize(
    ("kind", "says"), [("detecton", 'the nearest is "detection"'), ("fine_tune", '"detection" does what it did')]
)
def test_types_that_it_does_not(config: TrainEvalPipelineConfig, kind: str, says: str) -> None:
    config.train_config.fine_tune_checkpoint_type = kind
    [wrong] = [each for each in findings(config) if each.severity == "error"]
    assert wrong.feature == "train_config.fine_tune_checkpoint_type"
    assert "detection, classification, full" in wrong.right
    assert says in wrong.right


def test_a_home_folder_is_a_warning(config: TrainEvalPipelineConfig) -> None:
    config.train_config.fine_tune_checkpoint = "~/ckpt-0"
    [said] = [each for each in findings(config) if "home" in each.what]
    assert said.severity == "warning"


def test_what_is_not_there_is_explained(tmp_path: Path) -> None:
    (tmp_path / "train.record").touch()
    with pytest.raises(ConfigError, match=r"trian.record: no such file; the nearest there is train.record"):
        existing_file("trian.record", tmp_path, "here")
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "ckpt-0.index").write_bytes(b"\0")
    with pytest.raises(ConfigError, match=r"this is a folder of checkpoints; name one of them: .*/checkpoint/ckpt-0"):
        existing_prefix(str(tmp_path), tmp_path, "here")
    with pytest.raises(ConfigError, match=r"has its .index alone"):
        existing_prefix("checkpoint/ckpt-0", tmp_path, "here")
    (tmp_path / "checkpoint" / "ckpt-0.data-00000-of-00001").touch()
    assert existing_prefix("checkpoint/ckpt-0", tmp_path, "here") == str(tmp_path / "checkpoint" / "ckpt-0")
    (tmp_path / "checkpoint" / "ckpt-0.index").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ConfigError, match="is a Git LFS pointer"):
        existing_prefix("checkpoint/ckpt-0", tmp_path, "here")
    (tmp_path / "checkpoint" / "ckpt-0.meta").touch()
    with pytest.raises(ConfigError, match="of TensorFlow 1"):
        existing_prefix("checkpoint/ckpt-0", tmp_path, "here")
