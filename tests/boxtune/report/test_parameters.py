"""`boxtune parameters`: what a config can be searched over, as a table, as YAML, as every field."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from boxtune.report.parameters import parameters_text, range_text
from tests.conftest import EXPERIMENTS, QUICK_START
from tests.experiments import boxtune
from trial_entry.pipeline_config.listing import assignable_aliases
from trial_entry.pipeline_config.suggesting import fitting
from trial_entry.pipeline_config.text import read_config

CONFIG = QUICK_START / "pipeline.config"


def test_the_table_has_name_type_value_range_and_field() -> None:
    done = boxtune("parameters", CONFIG)
    assert done.code == 0, done.err
    rows = {line.split()[0]: line for line in done.out.splitlines()[1:] if line[:1].strip()}
    assert "double" in rows["learning_rate"]
    assert "0.0001 to 0.003, log" in rows["learning_rate"]
    assert "train_config.optimizer.adam_optimizer.learning_rate" in rows["learning_rate"]
    assert "4 | 8 | 16 | 32" in rows["batch_size"]
    assert "momentum" not in rows  # of Adam


@pytest.mark.parametrize("config", [CONFIG, EXPERIMENTS / "base" / "pipeline.config"], ids=["small", "usual"])
def test_no_word_is_broken_on_a_narrow_terminal(config: Path) -> None:
    """A path that no line has room for goes on in the next after one of its dots."""
    read = read_config(config)
    listed = fitting(read, assignable_aliases(read))
    texts = [text for each in listed for text in (each.name, each.kind, each.meaning, each.field, each.current or "-")]
    texts += [range_text(each.feasible) for each in listed if each.feasible is not None]
    words = {word.strip(",") for text in texts for word in text.split()} | {"now", "sets", "try"}
    pieces = {piece for word in words for piece in word.split(".")}
    for width in (80, 100, 120, 160):
        told = parameters_text(listed, width)
        assert isinstance(told, str)
        assert max(map(len, told.splitlines())) <= width
        for word in told.split():
            assert word.strip(",") in words or set(word.strip(",.").split(".")) <= pieces, word
    assert not isinstance(parameters_text(listed, 400), str)
    shown = boxtune("parameters", config, FORCE_COLOR="1", COLUMNS="80", NO_COLOR="1").out
    assert shown.strip("\n") == str(parameters_text(listed, 80))


def test_augmentations_are_listed_on_or_off(tmp_path: Path) -> None:
    config = tmp_path / "pipeline.config"
    flip = "train_config { data_augmentation_options { random_horizontal_flip { } }"
    config.write_text(CONFIG.read_text().replace("train_config {", flip))
    rows = [line.split() for line in boxtune("parameters", config).out.splitlines()]
    now = {row[0]: row[2] for row in rows if row and row[0].startswith("augmentation.")}
    assert now["augmentation.random_horizontal_flip"] == "on"
    assert now["augmentation.random_adjust_hue"] == "off"
    assert list(now.values()) == sorted(now.values(), reverse=True)  # those that are on first
    blocks = yaml.safe_load(boxtune("parameters", config, "--yaml").out)
    searched = {each["name"] for each in blocks["parameters"] if each["name"].startswith("augmentation_")}
    assert searched == {name.replace(".", "_") for name, state in now.items() if state == "on"}


def test_the_yaml_is_what_an_experiment_takes(tmp_path: Path) -> None:
    done = boxtune("parameters", CONFIG, "learning_rate", "batch_size", "augmentation.random_adjust_hue", "--yaml")
    blocks = yaml.safe_load(done.out)
    assert blocks["parameters"][0] == {
        "name": "learning_rate",
        "parameterType": "double",
        "feasibleSpace": {"min": "0.0001", "max": "0.003", "distribution": "logUniform"},
    }
    assert blocks["parameters"][2]["feasibleSpace"]["list"] == ["on", "off"]  # text, not YAML's booleans
    assert [each["reference"] for each in blocks["trialParameters"]] == [each["name"] for each in blocks["parameters"]]
    assert blocks["args"][2] == "--set=augmentation.random_adjust_hue=${trialParameters.augmentationRandomAdjustHue}"


def test_all_lists_every_field_path() -> None:
    lines = boxtune("parameters", CONFIG, "--all").out.splitlines()
    fields = dict(line.split("\t", 1) for line in lines)
    assert fields["train_config.batch_size"] == "whole number at least 1\t16"
    assert "model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios" in fields


def test_wrong_input_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    for arguments, says in (
        ([tmp_path / "nowhere.config"], "no such file"),
        ([CONFIG, "learning_rte"], 'the nearest is "learning_rate"'),
        ([CONFIG, "momentum"], "adam_optimizer, whose momentum is fixed"),
        ([CONFIG, "train_config.batch_size"], "a field path, not an alias"),
        ([CONFIG, "--all", "--yaml"], "--all lists every field"),
    ):
        done = boxtune("parameters", *arguments)
        assert done.code == 2
        assert says in done.err
        assert len(done.err.strip().splitlines()) == 1
