"""The features' types are those that the API's decoder asks for, and sizes are those that its resizers make."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import CONFIGS
from trial_entry.pipeline_config.batch_shapes import batch_shape, resizer_path
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import parse_text, read_config
from trial_entry.records.features import LISTS, SINGLE

RESIZERS = (
    "fixed_shape_resizer { height: 96 width: 128 }",
    "keep_aspect_ratio_resizer { min_dimension: 96 max_dimension: 128 }",
    "keep_aspect_ratio_resizer { min_dimension: 96 max_dimension: 128 pad_to_max_dimension: true }",
    "identity_resizer { }",
    "conditional_shape_resizer { condition: GREATER size_threshold: 100 }",
    "conditional_shape_resizer { condition: SMALLER size_threshold: 100 }",
    "pad_to_multiple_resizer { multiple: 32 }",
)
SIZES = ((96, 96), (136, 96), (176, 96), (64, 200), (333, 250), (90, 401), (1, 7))  # width, height

PROGRAM = """
import json, sys
from trial_entry.detection.compat import load_api
load_api()
import numpy as np, tensorflow as tf
from google.protobuf import text_format
from object_detection.builders import image_resizer_builder
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
from object_detection.protos import image_resizer_pb2
resizers, sizes = json.loads(sys.argv[1])
features = TfExampleDecoder().keys_to_features
found = {"single": {}, "lists": {}, "sizes": []}
for name, feature in features.items():
    group = "single" if isinstance(feature, tf.io.FixedLenFeature) else "lists"
    found[group][name] = feature.dtype.name
for text in resizers:
    resize = image_resizer_builder.build(text_format.Parse(text, image_resizer_pb2.ImageResizer()))
    shapes = [resize(tf.zeros([height, width, 3]))[0].shape for width, height in sizes]
    found["sizes"].append([[int(shape[1]), int(shape[0])] for shape in shapes])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def of_the_api() -> Any:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([RESIZERS, SIZES])],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_types_are_the_decoder_s(of_the_api: Any) -> None:
    types = {"bytes_list": "string", "int64_list": "int64", "float_list": "float32"}
    assert {name: types[kind] for name, kind in SINGLE.items()} == of_the_api["single"]
    assert {name: types[kind] for name, kind in LISTS.items()} == of_the_api["lists"]


@pytest.mark.parametrize("number", range(len(RESIZERS)), ids=lambda number: RESIZERS[number])
def test_images_are_resized_as_the_api_does(of_the_api: Any, number: int) -> None:
    config: TrainEvalPipelineConfig = read_config(CONFIGS / "faster_rcnn_resnet50.config")
    resizer = config.model.faster_rcnn.image_resizer
    resizer.Clear()
    parse_text(RESIZERS[number], resizer, "")
    found = [list(batch_shape(config, *size)) for size in SIZES]
    assert found == of_the_api["sizes"][number]
    assert resizer_path(config) == f"model.faster_rcnn.image_resizer.{RESIZERS[number].partition(' ')[0]}"
