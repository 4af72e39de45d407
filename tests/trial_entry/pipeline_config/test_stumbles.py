"""What people write into a pipeline.config that protobuf does not read: each in words, with what would be right."""

from __future__ import annotations

import pytest

from tests.faults.test_configs import CASES
from trial_entry.errors import ConfigError
from trial_entry.pipeline_config.text import parse_config

SMALL = (CASES / "small.config").read_text()
# What is written in the place of what, and what is said of it.
WRONG = {
    "a comment as in C": ("num_classes: 3", "num_classes: 3 // mine", "a comment begins with #"),
    "an equals sign": ("num_classes: 3", "num_classes = 3", "between a field and its value: num_classes: 3"),
    "no colon": ('type: "ssd', 'type "ssd', 'between a field and its value: type: "ssd_mobilenet_v2_keras"'),
    "a number in quotes": ("num_classes: 3", 'num_classes: "3"', "a number has no quotes: num_classes: 3"),
    "a fraction": ("num_steps: 20", "num_steps: 2e4", "num_steps must be a whole number, and 2e4 is none"),
    "a variable": ("num_classes: 3", "num_classes: {{ n }}", "num_classes must be a whole number, and {{ is none"),
    "no value": ("num_steps: 20\n", "num_steps:\n", "the field before it has none"),
    "a comma in a rate": ("base: 0.001", "base: 0,001", "a number has no comma: 0.001"),
    "a comma in thousands": ("num_steps: 20", "num_steps: 20,000", "a number has no comma: 20000"),
    "yes and no": ("average: false", "average: no", "use_moving_average is true or false"),
    "a name in quotes": ("activation: RELU_6", 'activation: "RELU_6"', "a name has no quotes: activation: RELU_6"),
    "a name in small letters": ("activation: RELU_6", "activation: relu_6", "the nearest is RELU_6"),
    "a Windows path": ('"label_map.pbtxt"', '"C:\\Users\\me\\map.pbtxt"', "has a backslash, which begins a special"),
    "another Windows path": ('"label_map.pbtxt"', '"C:\\data\\xrays"', "write / in its place"),
    "a merge": ("model {", "<<<<<<< HEAD\nmodel {", ":2:1: is a mark of a merge"),
    "Markdown": ("model {", "```\nmodel {", ":2:1: is a mark of Markdown"),
    "another program's extension": ("model {", "[lstm.protos.lstm_model] { } model {", 'has no extension "lstm.protos'),
    "a brace too many": ("train_config {", "} train_config {", "closes a block, and none is open"),
}


def said_of(text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        parse_config(text, "it.config")
    said = str(raised.value)
    assert said.startswith("it.config:")
    assert len(said.splitlines()) == 1
    return said


@pytest.mark.parametrize("kind", WRONG)
def test_it_is_said_in_words(kind: str) -> None:
    old, new, says = WRONG[kind]
    assert old in SMALL
    assert says in said_of(SMALL.replace(old, new, 1))


def test_a_block_that_is_open_at_the_end() -> None:
    assert "a } is missing" in said_of(SMALL.rstrip().removesuffix("}"))
