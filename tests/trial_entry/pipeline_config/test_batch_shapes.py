"""The shapes that images have in a batch, with the API's resizers and augmentations for the oracle."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import CONFIGS
from trial_entry.pipeline_config.batch_shapes import batch_shape, changing_steps, resizer_path
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import parse_text, read_config

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

STEPS = (
    "random_crop_image",
    "random_pad_image",
    "random_crop_pad_image",
    "random_self_concat_image",
    "random_horizontal_flip",
    "random_crop_to_aspect_ratio",
    "random_distort_color",
    "random_jpeg_quality",
)

PROGRAM = """
import json, sys
from trial_entry.detection.compat import load_api
load_api()
import tensorflow as tf
from google.protobuf import text_format
from object_detection.builders import image_resizer_builder, preprocessor_builder
from object_detection.core import preprocessor, standard_fields
from object_detection.protos import image_resizer_pb2, preprocessor_pb2
resizers, sizes, steps = json.loads(sys.argv[1])
names = standard_fields.InputDataFields
found = {"sizes": [], "changing": []}
for text in resizers:
    resize = image_resizer_builder.build(text_format.Parse(text, image_resizer_pb2.ImageResizer()))
    shapes = [resize(tf.zeros([height, width, 3]))[0].shape for width, height in sizes]
    found["sizes"].append([[int(shape[1]), int(shape[0])] for shape in shapes])
for name in steps:
    step, shapes = preprocessor_pb2.PreprocessingStep(), set()
    getattr(step, name).SetInParent()
    for _ in range(100):  # a concatenation, 0.1 a direction, stays unseen once in 1e9
        if len(shapes) > 1:
            break
        image = {
            names.image: tf.random.uniform([1, 96, 96, 3], maxval=255.0),
            names.groundtruth_boxes: tf.constant([[0.2, 0.2, 0.8, 0.8]]),
            names.groundtruth_classes: tf.constant([1], tf.int64),
            names.groundtruth_weights: tf.constant([1.0]),
        }
        options = preprocessor.get_default_func_arg_map(include_label_weights=True)
        done = preprocessor.preprocess(image, [preprocessor_builder.build(step)], func_arg_map=options)
        shapes.add(tuple(done[names.image].shape[1:3]))
    if len(shapes) > 1:
        found["changing"].append(name)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def of_the_api() -> Any:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([RESIZERS, SIZES, STEPS])],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def config() -> TrainEvalPipelineConfig:
    return read_config(CONFIGS / "faster_rcnn_resnet50.config")


@pytest.mark.parametrize("number", range(len(RESIZERS)), ids=lambda number: RESIZERS[number])
def test_images_are_resized_as_the_api_does(of_the_api: Any, config: TrainEvalPipelineConfig, number: int) -> None:
    resizer = config.model.faster_rcnn.image_resizer
    resizer.Clear()
    parse_text(RESIZERS[number], resizer, "")
    found = [list(batch_shape(config, *size)) for size in SIZES]
    assert found == of_the_api["sizes"][number]
    assert resizer_path(config) == f"model.faster_rcnn.image_resizer.{RESIZERS[number].partition(' ')[0]}"


def test_augmentations_that_change_proportions_are_known(of_the_api: Any, config: TrainEvalPipelineConfig) -> None:
    del config.train_config.data_augmentation_options[:]
    for name in STEPS:
        getattr(config.train_config.data_augmentation_options.add(), name).SetInParent()
    assert [path.rpartition(".")[2] for path in changing_steps(config)] == of_the_api["changing"]
    assert changing_steps(config)[0] == "train_config.data_augmentation_options.0.random_crop_image"
