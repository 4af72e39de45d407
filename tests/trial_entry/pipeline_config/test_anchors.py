"""Anchors in numpy against the API's own generators, and resized images against its own resizers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.configs.zoo import ZOO
from tests.conftest import QUICK_START
from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.anchors import AnchorGenerator, Boxes, anchor_generator
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.resizing import resized
from trial_entry.pipeline_config.text import parse_config, read_config

SSD = (
    "model {{ ssd {{ image_resizer {{ fixed_shape_resizer {{ {size} }} }} {more} anchor_generator {{ {anchors} }} }} }}"
)
RCNN = "model {{ faster_rcnn {{ {more} first_stage_anchor_generator {{ {anchors} }} }} }}"
CASES = {
    "ssd": (SSD, "height: 300 width: 300", "", "ssd_anchor_generator { aspect_ratios: [1.0, 2.0, 0.5, 3.0, 0.3333] }"),
    "ssd, oblong": (
        SSD, "height: 200 width: 390", "",
        "ssd_anchor_generator { num_layers: 4 scales: [0.1, 0.2, 0.4, 0.8] reduce_boxes_in_lowest_layer: false "
        "aspect_ratios: [1.0, 2.5] interpolated_scale_aspect_ratio: 0.0 base_anchor_height: 1.2 }",
    ),
    "ssd, its own grid": (
        SSD, "height: 160 width: 160", "",
        "ssd_anchor_generator { num_layers: 2 scales: [0.2, 0.5] height_stride: [15, 33] width_stride: [16, 32] "
        "height_offset: [3, 5] width_offset: [8, 16] aspect_ratios: [0.7] }",
    ),
    "pyramid": (
        SSD, "height: 320 width: 640", "",
        "multiscale_anchor_generator { aspect_ratios: [1.0, 2.0, 0.5] scales_per_octave: 3 anchor_scale: 3.0 }",
    ),
    "pyramid, no multiple": (
        SSD, "height: 200 width: 328", "feature_extractor { pad_to_multiple: 32 }",
        "multiscale_anchor_generator { aspect_ratios: [1.0] scales_per_octave: 2 }",
    ),
    "faster_rcnn": (
        RCNN, "height: 300 width: 410", "",
        "grid_anchor_generator { scales: [0.1, 0.5, 2.0] aspect_ratios: [0.5, 1.0] height_stride: 16 width_stride: 16 "
        "height: 200 width: 256 height_offset: 3 }",
    ),
    "faster_rcnn, all": (
        RCNN, "height: 300 width: 410", 
        "clip_anchors_to_image: true feature_extractor { first_stage_features_stride: 8 }",
        "grid_anchor_generator { scales: [0.1, 0.5] aspect_ratios: [0.5, 1.0] height_stride: 8 width_stride: 8 }",
    ),
    "faster_rcnn, pyramid": (
        RCNN, "height: 300 width: 410", "",
        "multiscale_anchor_generator { min_level: 2 max_level: 6 aspect_ratios: [1.0, 2.0] "
        "normalize_coordinates: false }",
    ),
}  # fmt: skip


def some_boxes(height: float, width: float, count: int = 300) -> Boxes:
    """Of all sizes and anywhere in an image of this size, in pixels."""
    dice = np.random.default_rng(0)
    tall, wide = (np.exp(dice.uniform(math.log(4), math.log(edge * 0.95), count)) for edge in (height, width))
    return Boxes(
        image_height=np.full(count, float(height)),
        image_width=np.full(count, float(width)),
        center_y=tall / 2 + dice.uniform(0, 1, count) * (height - tall),
        center_x=wide / 2 + dice.uniform(0, 1, count) * (width - wide),
        height=tall,
        width=wide,
    )


def the_api_s_anchors(config: TrainEvalPipelineConfig, found: AnchorGenerator, height: int, width: int) -> np.ndarray:
    """Every anchor, [ymin, xmin, ymax, xmax] in pixels, as the models ask for them."""
    pytest.importorskip("tensorflow")
    from trial_entry.detection.compat import load_api

    load_api()
    from object_detection.builders import anchor_generator_builder

    padded = [math.ceil(edge / found.pad_to) * found.pad_to for edge in (height, width)]
    maps = [(math.ceil(padded[0] / stride), math.ceil(padded[1] / stride)) for stride in found.strides]
    if config.model.WhichOneof("model") == "faster_rcnn":
        built = anchor_generator_builder.build(config.model.faster_rcnn.first_stage_anchor_generator)
        boxes = np.concatenate([each.get().numpy() for each in built.generate(maps)])
        if not config.model.faster_rcnn.clip_anchors_to_image:
            low, high = boxes[:, :2].min(1) >= 0, (boxes[:, 2] <= height) & (boxes[:, 3] <= width)
            boxes = boxes[low & high]
        return boxes
    built = anchor_generator_builder.build(config.model.ssd.anchor_generator)
    lists = built.generate(maps, im_height=height, im_width=width)
    return np.concatenate([each.get().numpy() for each in lists]) * [height, width, height, width]


def overlaps(boxes: Boxes, anchors: np.ndarray) -> np.ndarray:
    """IoU of each box with each anchor."""
    first = np.stack([boxes.center_y - boxes.height / 2, boxes.center_x - boxes.width / 2], 1)[:, None]
    last = np.stack([boxes.center_y + boxes.height / 2, boxes.center_x + boxes.width / 2], 1)[:, None]
    edges = np.maximum(0, np.minimum(last, anchors[None, :, 2:]) - np.maximum(first, anchors[None, :, :2]))
    common = edges.prod(2)
    areas = (anchors[:, 2:] - anchors[:, :2]).prod(1)
    return np.asarray(common / (areas[None] + (boxes.height * boxes.width)[:, None] - common))


@pytest.mark.parametrize("case", CASES)
def test_the_best_anchor_is_the_best_of_all_that_the_api_generates(case: str) -> None:
    frame, size, more, anchors = CASES[case]
    config = parse_config(frame.format(size=size, more=more, anchors=anchors), case)
    found = anchor_generator(config)
    assert found is not None
    height, width = (int(word) for word in size.split()[1::2])
    boxes = some_boxes(height, width)
    theirs = overlaps(boxes, the_api_s_anchors(config, found, height, width)).max(1)
    ours = found.overlaps(found.shapes(found.scales, found.ratios), boxes).max(1)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)
    assert (theirs > 0.5).mean() > 0.05  # they do meet


def test_the_maps_of_the_quick_start_are_those_of_its_model() -> None:
    tf = pytest.importorskip("tensorflow")
    from trial_entry.detection.model import build_model
    from trial_entry.detection.runtime import autograph

    config = read_config(QUICK_START / "pipeline.config")
    with autograph(False):
        model = build_model(config, tf.distribute.get_strategy()).model
    found = anchor_generator(config)
    assert found is not None
    built = model.anchors.get().numpy() * 128
    boxes = some_boxes(128, 128)
    assert len(built) == sum(math.ceil(128 / stride) ** 2 for stride in found.strides) * 2
    ours = found.overlaps(found.shapes(found.scales, found.ratios), boxes).max(1)
    np.testing.assert_allclose(ours, overlaps(boxes, built).max(1), atol=2e-5)


@pytest.mark.parametrize("name", ZOO)
def test_every_config_of_the_zoo_has_anchors_that_match_something(name: str) -> None:
    config = parse_config(ZOO[name], name)
    found = anchor_generator(config)
    if config.model.WhichOneof("model") == "center_net":
        assert found is None
        return
    assert found is not None
    boxes = some_boxes(640, 640)
    assert (found.overlaps(found.shapes(found.scales, found.ratios), boxes).max(1) > 0.5).mean() > 0.2


@pytest.mark.parametrize(
    "resizer",
    [
        "fixed_shape_resizer { height: 300 width: 200 }",
        "keep_aspect_ratio_resizer { min_dimension: 600 max_dimension: 1024 }",
        "keep_aspect_ratio_resizer { min_dimension: 512 max_dimension: 512 pad_to_max_dimension: true }",
    ],
)
def test_images_are_resized_as_by_the_api(resizer: str) -> None:
    tf = pytest.importorskip("tensorflow")
    from trial_entry.detection.compat import load_api

    load_api()
    from object_detection.builders import image_resizer_builder

    config = parse_config(f"model {{ ssd {{ image_resizer {{ {resizer} }} }} }}", "")
    build = image_resizer_builder.build(config.model.ssd.image_resizer)
    sizes = [(480, 640), (1000, 333), (37, 64), (2000, 3008)]
    ours = resized(config, *(np.array(edges, float) for edges in zip(*sizes, strict=True)))
    for number, (height, width) in enumerate(sizes):
        image, shape = build(tf.zeros([height, width, 3]))
        assert list(shape.numpy()[:2]) == [ours.height[number], ours.width[number]]
        assert list(image.shape[:2]) == [ours.padded_height[number], ours.padded_width[number]]


def test_a_generator_that_is_not_known_is_named() -> None:
    with pytest.raises(ConfigError, match=r"model\.ssd\.anchor_generator: flexible_grid_anchor_generator; anchors are"):
        anchor_generator(parse_config("model { ssd { anchor_generator { flexible_grid_anchor_generator { } } } }", ""))
    with pytest.raises(ConfigError, match="not set"):
        anchor_generator(parse_config("model { faster_rcnn { } }", ""))
