"""Addressing and setting single fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from trial_entry.errors import AssignmentError
from trial_entry.pipeline_config.field_paths import find_field, shortest
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import parse_config

TEXT = """
model { ssd { num_classes: 3
  anchor_generator { ssd_anchor_generator { aspect_ratios: 1.0 aspect_ratios: 2.0 } }
  post_processing { batch_non_max_suppression { iou_threshold: 0.6 } score_converter: SIGMOID } } }
train_config { batch_size: 8 optimizer { momentum_optimizer { } }
  data_augmentation_options { random_horizontal_flip { } } }
train_input_reader { tf_record_input_reader { input_path: "a" input_path: "b" } }
"""


@pytest.fixture
def config() -> TrainEvalPipelineConfig:
    return parse_config(TEXT, "test")


@pytest.mark.parametrize(
    ("path", "value", "after"),
    [
        ("train_config.batch_size", "16", "16"),
        ("train_config.batch_size", "16.0", "16"),
        ("train_config.batch_size", "1e2", "100"),
        ("model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios.1", "0.5", "0.5"),
        ("model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios", "1.0,0.25,3", "1,0.25,3"),
        ("model.ssd.post_processing.score_converter", "SOFTMAX", "SOFTMAX"),
        ("model.ssd.freeze_batchnorm", "true", "true"),
        ("train_input_reader.tf_record_input_reader.input_path.1", "c", "c"),
        ("train_config.data_augmentation_options.0.random_horizontal_flip.probability", "0.25", "0.25"),
        ("train_config.optimizer.momentum_optimizer.momentum_optimizer_value", "0.8", "0.8"),
        ("model.ssd.post_processing.batch_non_max_suppression.iou_threshold", "0.1", "0.1"),
    ],
)
def test_a_field_takes_a_value_of_its_type(config: TrainEvalPipelineConfig, path: str, value: str, after: str) -> None:
    find_field(config, path).set(value)
    assert find_field(config, path).text() == after


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("train_config.batchsize", "1", 'the nearest is "batch_size"'),
        ("model.ssd.post_procesing.score_converter", "1", 'the nearest is "post_processing"'),
        ("model.faster_rcnn.num_classes", "3", 'uses "ssd", not "faster_rcnn"'),
        ("train_config.optimizer.adam_optimizer.epsilon", "1", 'uses "momentum_optimizer"'),
        ("model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios.2", "1", "has 2 elements; the last is 1"),
        ("model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios.x", "1", '"x" is no element number'),
        ("train_config.batch_size.0", "1", "is a value and has no fields"),
        ("model.ssd", "1", "is no single value"),
        ("eval_config.super_categories", "1", "is no single value"),
        ("train_config.batch_size", "16.5", "no whole number"),
        ("train_config.batch_size", "many", "no whole number"),
        ("train_config.batch_size", "0", "it must be at least 1"),
        ("train_config.batch_size", "-1", "from 0 to"),
        ("train_config.batch_size", "99999999999", "from 0 to"),
        ("model.ssd.freeze_batchnorm", "maybe", "write true or false"),
        ("model.ssd.post_processing.score_converter", "LOUD", "is none of IDENTITY"),
        ("model.ssd.post_processing.batch_non_max_suppression.iou_threshold", "1.7", "from 0 to 1"),
        ("model.ssd.post_processing.batch_non_max_suppression.iou_threshold", "nan", "no finite"),
        ("model.ssd.negative_class_weight", "1e39", "no finite"),
        ("model.ssd.negative_class_weight", "heavy", "is no number"),
        ("train_config.optimizer.momentum_optimizer.momentum_optimizer_value", "1", "from 0 to below 1"),
    ],
)
def test_what_a_field_cannot_take_is_refused(config: TrainEvalPipelineConfig, path: str, value: str, says: str) -> None:
    before = config.SerializeToString(deterministic=True)
    with pytest.raises(AssignmentError) as raised:
        find_field(config, path).set(value)
    assert says in str(raised.value)
    assert str(raised.value).startswith(path.split(".", maxsplit=1)[0])
    assert config.SerializeToString(deterministic=True) == before


def test_a_default_is_the_current_value(config: TrainEvalPipelineConfig) -> None:
    assert find_field(config, "train_config.optimizer.momentum_optimizer.momentum_optimizer_value").text() == "0.9"


@pytest.mark.parametrize("text", ["0.6", "1e-05", "0.0003", "1", "3.14159265", "1e-38"])
def test_shortest_reads_back_as_the_same_float(text: str) -> None:
    import struct

    stored = struct.unpack("f", struct.pack("f", float(text)))[0]
    assert struct.pack("f", float(shortest(stored))) == struct.pack("f", float(text))
    assert len(shortest(stored)) <= max(len(text), 9)


def test_a_list_may_be_emptied(config: TrainEvalPipelineConfig) -> None:
    path = "model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios"
    find_field(config, path).set("")
    assert find_field(config, path).value() == []


def test_paths_do_not_create_what_they_only_look_at(config: TrainEvalPipelineConfig, tmp_path: Path) -> None:
    before = config.SerializeToString(deterministic=True)
    find_field(config, "model.ssd.loss.classification_weight").text()
    assert config.SerializeToString(deterministic=True) == before
