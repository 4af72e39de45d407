"""Which formats a config's model can be exported to, known before any work is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.configs.zoo import ZOO
from tests.conftest import CONFIGS, write_config
from trial_entry.contract.exports import FORMATS, ONNX, SAVED_MODEL, TFLITE, TFLITE_FORMATS, ResizerRecord
from trial_entry.pipeline_config.exportable import max_detections, resizer_of, why_not
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import parse_config, read_config

NMS = "model.ssd.post_processing.batch_non_max_suppression"


@pytest.mark.parametrize("name", ZOO)
def test_every_model_of_the_zoo_has_a_saved_model_and_those_of_one_stage_with_one_size_tflite(name: str) -> None:
    config = parse_config(ZOO[name], name)
    assert why_not(config, SAVED_MODEL) == why_not(config, ONNX) == ""
    architecture = config.model.WhichOneof("model")
    fixed = resizer_of(config).kind == "fixed_shape_resizer"
    for format in TFLITE_FORMATS:
        assert bool(why_not(config, format)) == (architecture == "faster_rcnn" or not fixed)


def keep_aspect(config: TrainEvalPipelineConfig) -> None:
    config.model.ssd.image_resizer.keep_aspect_ratio_resizer.min_dimension = 128
    config.model.ssd.image_resizer.keep_aspect_ratio_resizer.max_dimension = 128


def grey(config: TrainEvalPipelineConfig) -> None:
    config.model.ssd.image_resizer.fixed_shape_resizer.convert_to_grayscale = True


def soft(config: TrainEvalPipelineConfig) -> None:
    config.model.ssd.post_processing.batch_non_max_suppression.soft_nms_sigma = 0.5


def other_coder(config: TrainEvalPipelineConfig) -> None:
    config.model.ssd.box_coder.square_box_coder.y_scale = 10


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            keep_aspect,
            "model.ssd.image_resizer: keep_aspect_ratio_resizer: a TensorFlow Lite model has an input of one",
        ),
        (grey, "convert_to_grayscale"),
        (soft, f"{NMS}.soft_nms_sigma: TensorFlow Lite has no soft suppression"),
        (other_coder, "model.ssd.box_coder: square_box_coder"),
    ],
)
def test_the_reason_names_the_field(
    tmp_path: Path, change: Callable[[TrainEvalPipelineConfig], None], says: str
) -> None:
    config = read_config(write_config(tmp_path))
    assert all(why_not(config, format) == "" for format in FORMATS)
    change(config)
    assert says in why_not(config, TFLITE)
    assert why_not(config, SAVED_MODEL) == ""


def test_a_second_stage_has_no_tflite() -> None:
    config = read_config(CONFIGS / "faster_rcnn_resnet50.config")
    assert why_not(config, TFLITE).startswith("model.faster_rcnn: ")


def test_what_is_read_of_a_config(tmp_path: Path) -> None:
    config = read_config(write_config(tmp_path))
    assert resizer_of(config) == ResizerRecord("fixed_shape_resizer", 128, 128)
    assert max_detections(config) == 20
    assert resizer_of(parse_config(ZOO["faster_rcnn_resnet50_v1_640x640"], "zoo")).pads
