"""Where each field of a config stands in its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.configs.zoo import ZOO
from trial_entry.pipeline_config.field_lines import field_lines
from trial_entry.pipeline_config.set_fields import set_fields
from trial_entry.pipeline_config.text import config_text, parse_config

FAULTS = Path(__file__).parents[2] / "faults" / "configs"
SMALL = (FAULTS / "small.config").read_text()


@pytest.mark.parametrize("text", [SMALL, *ZOO.values()], ids=["small", *ZOO])
def test_every_field_that_is_set(text: str) -> None:
    """As people write them and as protobuf does, a field a line: then no two share one."""
    config = parse_config(text, "config")
    for form in (text, config_text(config)):
        lines, found = form.split("\n"), field_lines(form)
        for each in set_fields(config):
            assert each.descriptor.name in lines[found.of(each.path) - 1], each.path
    written = field_lines(config_text(config))
    lines_of = [written.of(each.path) for each in set_fields(config)]
    assert lines_of == sorted(set(lines_of))


def test_what_texts_can_look_like() -> None:
    text = """# a comment { with: braces }
    model: <
      ssd { num_classes: 3; feature_extractor { type: 'a' "b" # and { more
          "c" }
        anchor_generator { ssd_anchor_generator { aspect_ratios: [1.0,
          2.0] aspect_ratios: 3.0 } } } >
    train_config { data_augmentation_options { random_horizontal_flip {} }
      data_augmentation_options: { ssd_random_crop { } }, batch_size: 4 }
    """
    parse_config(text, "config")
    lines, anchors = field_lines(text), "model.ssd.anchor_generator.ssd_anchor_generator"
    found = {
        "model": 2,
        "model.ssd.num_classes": 3,
        "model.ssd.feature_extractor.type": 3,
        f"{anchors}.aspect_ratios.1": 6,
        f"{anchors}.aspect_ratios.2": 6,
        f"{anchors}.num_layers": 5,
        "train_config.data_augmentation_options.0": 7,
        "train_config.data_augmentation_options.1.ssd_random_crop.random_coef": 8,
        "train_config.data_augmentation_options.7": 7,
        "train_config.batch_size: 4": 8,
        "eval_config.batch_size": 0,
        "": 0,
    }
    assert {path: lines.of(path) for path in found} == found
