"""Footprints: what makes another model of a config for memory's sake, and what does not."""

from __future__ import annotations

import pytest

from tests.configs.zoo import ZOO
from trial_entry.contract.arguments import Assignment
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.footprint import Footprint, footprint
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import parse_config

SSD = "ssd_mobilenet_v2_fpnlite_320x320"
RESIZERS = {
    "fixed_shape_resizer { height: 96 width: 128 }": (128, 96),
    "keep_aspect_ratio_resizer { min_dimension: 96 max_dimension: 128 }": (128, 96),
    "keep_aspect_ratio_resizer { min_dimension: 256 max_dimension: 128 }": (128, 128),
    "keep_aspect_ratio_resizer { min_dimension: 96 max_dimension: 128 pad_to_max_dimension: true }": (128, 128),
    "identity_resizer { }": None,
    "pad_to_multiple_resizer { multiple: 32 }": None,
    "": None,
}


def taken(name: str, *assignments: str) -> Footprint:
    base = BaseConfig.parse(ZOO[name], name)
    return footprint(base.assigned([Assignment.parse(text) for text in assignments]))


@pytest.mark.parametrize("name", sorted(ZOO))
def test_each_of_the_zoo_has_one_and_no_two_models_are_the_same(name: str) -> None:
    found = footprint(parse_config(ZOO[name], name))
    assert found.load >= found.batch_size * 300 * 300
    assert found.name in ZOO[name]
    others = {other: footprint(parse_config(ZOO[other], other)) for other in ZOO if other != name}
    same = [other for other, each in others.items() if each.kind == found.kind and each.name != found.name]
    assert same == []


@pytest.mark.parametrize(
    "assignment",
    [
        "learning_rate=0.001",
        "optimizer=adam",
        "weight_decay=0.001",
        "nms_iou_threshold=0.4",
        "max_detections=20",
        "focal_gamma=1.5",
        "classification_loss_weight=2",
        "anchor_scales=3",
        "aspect_ratios=1,3,0.3",
        "augmentation.random_vertical_flip=on",
        "model.ssd.feature_extractor.conv_hyperparams.batch_norm.decay=0.5",
        "model.ssd.box_predictor.weight_shared_convolutional_box_predictor.class_prediction_bias_init=-3",
    ],
)
def test_how_a_model_learns_does_not_change_what_it_takes(assignment: str) -> None:
    before, after = taken(SSD), taken(SSD, assignment)
    assert before == after


@pytest.mark.parametrize(
    "assignment",
    [
        "model.ssd.feature_extractor.depth_multiplier=0.5",
        "model.ssd.feature_extractor.fpn.max_level=6",
        "model.ssd.box_predictor.weight_shared_convolutional_box_predictor.depth=64",
        "aspect_ratios=1,2",
        "train_config.use_bfloat16=true",
    ],
)
def test_what_makes_a_model_larger_or_smaller_makes_another(assignment: str) -> None:
    before, after = taken(SSD), taken(SSD, assignment)
    assert before.model != after.model
    assert before.load == after.load


def test_batch_and_pixels_are_what_is_compared() -> None:
    before = taken(SSD)
    assert str(before) == "128 x 320 x 320 of ssd_mobilenet_v2_fpn_keras"
    half = taken(SSD, "batch_size=64")
    assert (half.kind, half.load * 2) == (before.kind, before.load)
    large = taken(SSD, "image_size=640", "batch_size=32")
    assert (large.kind, large.load) == (before.kind, before.load)


@pytest.mark.parametrize("resizer", RESIZERS)
def test_the_largest_image_of_each_resizer(resizer: str) -> None:
    text = f"""model {{ ssd {{ feature_extractor {{ type: "x" }} image_resizer {{ {resizer} }} }} }}
               train_config {{ batch_size: 4 }}"""
    found = footprint(parse_config(text, "c"))
    size = RESIZERS[resizer]
    if size is None:
        assert (found.pixels, found.load) == (None, 4)
        assert found.resizer
        assert str(found).startswith("4 x images by ")
    else:
        assert (found.width, found.height, found.load) == (*size, 4 * size[0] * size[1])
        assert found.resizer == ""


def test_a_config_without_a_model() -> None:
    with pytest.raises(RequestError, match="model: not set"):
        footprint(TrainEvalPipelineConfig())
