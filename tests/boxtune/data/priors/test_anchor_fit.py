"""Fitting a generator's own parameters to boxes whose best ones are known."""

from __future__ import annotations

import numpy as np
import pytest

from boxtune.data.priors.anchor_fit import better, fit_anchors, measure_anchors
from trial_entry.pipeline_config.anchors import AnchorGenerator, Boxes, anchor_generator
from trial_entry.pipeline_config.text import parse_config

PYRAMID = """model { ssd { anchor_generator { multiscale_anchor_generator { min_level: 3 max_level: 7 anchor_scale: 4.0
  aspect_ratios: [1.0, 2.0, 0.5] scales_per_octave: 2 } } } }"""
SSD = """model { ssd { anchor_generator { ssd_anchor_generator { num_layers: 6 reduce_boxes_in_lowest_layer: false
  aspect_ratios: [1.0, 2.0, 0.5, 3.0, 0.3333] } } } }"""
GRID = """model { faster_rcnn { first_stage_anchor_generator { grid_anchor_generator { scales: [0.25, 0.5, 1.0, 2.0]
  aspect_ratios: [0.5, 1.0, 2.0] } } } }"""


def generator(text: str) -> AnchorGenerator:
    found = anchor_generator(parse_config(text, ""))
    assert found is not None
    return found


def boxes(sizes: tuple[float, float], ratios: tuple[float, ...], count: int = 250, edge: float = 640) -> Boxes:
    """Of sizes between two (roots of the area, in pixels) and of these aspect ratios, anywhere in a square image."""
    dice = np.random.default_rng(3)
    size = np.exp(dice.uniform(np.log(sizes[0]), np.log(sizes[1]), count))
    ratio = dice.choice(ratios, count) * np.exp(dice.normal(0, 0.03, count))
    height, width = size / np.sqrt(ratio), size * np.sqrt(ratio)
    return Boxes(
        np.full(count, edge),
        np.full(count, edge),
        height / 2 + dice.uniform(0, 1, count) * (edge - height),
        width / 2 + dice.uniform(0, 1, count) * (edge - width),
        height,
        width,
    )


@pytest.mark.parametrize("text", [PYRAMID, SSD, GRID])
def test_the_ratios_of_the_boxes_are_found(text: str) -> None:
    found = fit_anchors(generator(text), boxes((60, 200), (0.25, 4.0)))
    assert found.ratios == pytest.approx([0.25, 4.0], rel=0.1)
    assert found.matched > 0.95


def test_square_boxes_need_one_ratio() -> None:
    found = fit_anchors(generator(PYRAMID), boxes((40, 300), (1.0,)))
    assert found.ratios == pytest.approx([1.0], rel=0.05)
    assert found.shapes == 10
    assert found.matched == 1


def test_small_boxes_make_small_anchors() -> None:
    pyramid, small = generator(PYRAMID), boxes((10, 20), (1.0,))
    now = measure_anchors(pyramid, pyramid.scales, pyramid.ratios, small)
    found = fit_anchors(pyramid, small)
    assert now.matched < 0.2
    assert found.matched > 0.6
    assert 1 <= found.scales[0] < 3
    assert better(found, now)
    assert not better(now, found)


def test_scales_rise_from_map_to_map_and_maps_coarser_than_the_boxes_keep_theirs() -> None:
    ssd = generator(SSD)
    found = fit_anchors(ssd, boxes((60, 120), (1.0,)))
    assert list(found.scales) == sorted(found.scales)
    assert found.scales[-1] == pytest.approx(ssd.scales[-1], abs=0.01)
    assert found.matched > measure_anchors(ssd, ssd.scales, ssd.ratios, boxes((60, 120), (1.0,))).matched


def test_the_number_of_ratios_stays_where_it_must() -> None:
    assert len(fit_anchors(generator(GRID), boxes((60, 200), (1.0,)), same_number=True).ratios) == 3


def test_a_generator_without_ratios_matches_nothing_now() -> None:
    bare = generator("model { ssd { anchor_generator { multiscale_anchor_generator { } } } }")
    some = boxes((60, 200), (1.0,))
    assert measure_anchors(bare, bare.scales, bare.ratios, some).matched == 0
    assert fit_anchors(bare, some).matched == 1
