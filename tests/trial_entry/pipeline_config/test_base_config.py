"""A base config: assignments become a config by it alone, with the data here or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from trial_entry.contract.arguments import Assignment
from trial_entry.errors import AssignmentError, ConfigError, RequestError
from trial_entry.pipeline_config.base_config import BaseConfig

RATE = [Assignment("learning_rate", "0.01")]


def test_it_renders_without_its_data_and_stays_as_it_is(data: Path) -> None:
    here = BaseConfig.read(data / "pipeline.config")
    text = (data / "pipeline.config").read_text().replace("train.record", "elsewhere.record")
    laptop = BaseConfig.parse(text, "config.map: pipeline.config")
    before = here.config.SerializeToString()
    assert laptop.render(RATE, resolve=False).digest == here.render(RATE).digest != here.digest
    assert here.config.SerializeToString() == before
    with pytest.raises(RequestError, match=r"label_map\.pbtxt: no such file"):
        laptop.render(RATE)


def test_paths_are_taken_from_its_folder(data: Path) -> None:
    rendered = BaseConfig.read(data / "pipeline.config").render([])
    assert rendered.config.train_input_reader.label_map_path == str(data / "label_map.pbtxt")


def test_what_a_trial_would_say_of_an_assignment(data: Path) -> None:
    base = BaseConfig.read(data / "pipeline.config")
    assert base.check(RATE) is None
    for name, value in (("learning_rate", "-1"), ("lerning_rate", "1"), ("train_config.batch_size", "x")):
        wrong = base.check([*RATE, Assignment(name, value)] if name != "learning_rate" else [Assignment(name, value)])
        assert isinstance(wrong, AssignmentError)
        assert wrong.name == name
    assert base.current("batch_size") == "4"
    assert {"learning_rate", "augmentation.random_adjust_hue"} <= {each.name for each in base.parameters()}


def test_a_text_that_is_no_config_is_named_by_its_place() -> None:
    with pytest.raises(ConfigError, match=r"^config.map: pipeline.config:1"):
        BaseConfig.parse("modle { }", "config.map: pipeline.config")
