"""The shuffling and the augmentation that a config asks for happen, and no others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_config

PROGRAM = """
import json, sys
from pathlib import Path
from trial_entry.detection.runtime import autograph, start_runtime
strategy = start_runtime(1, False)
import numpy as np
from object_detection import inputs
from trial_entry.detection.model import build_model
from trial_entry.detection.training import Trainer
from trial_entry.contract.arguments import Assignment
from trial_entry.pipeline_config.base_config import BaseConfig
def examples(*sets):
    assignments = [Assignment.parse(text) for text in sets]
    config = BaseConfig.read(Path(sys.argv[1])).render(assignments).config
    with autograph(False):
        built = build_model(config, strategy)
    batches = Trainer(built, config).build_input()
    for _ in range(10):
        features, labels = next(batches)
        images, boxes = features["image"].numpy(), labels["groundtruth_boxes"].numpy()
        counts = labels["num_groundtruth_boxes"].numpy()
        for row, name in enumerate(features[inputs.HASH_KEY].numpy()):
            yield int(name), images[row], boxes[row][:counts[row]]
plain = list(examples("train_input_reader.shuffle=false"))
by_name = {name: (image, boxes) for name, image, boxes in plain}
found = {"plain": [name for name, _, _ in plain], "flipped": 0, "same": 0}
found["shuffled"] = [name for name, _, _ in examples()]
for name, image, boxes in examples("augmentation.random_horizontal_flip=true"):
    before, boxes_before = by_name[name]
    ymin, xmin, ymax, xmax = boxes_before.T
    mirrored = np.stack([ymin, 1 - xmax, ymax, 1 - xmin], axis=1)
    if np.array_equal(image, before):
        found["same"] += 1
        np.testing.assert_allclose(boxes, boxes_before)
    else:
        np.testing.assert_array_equal(image, before[:, ::-1])
        np.testing.assert_allclose(boxes, mirrored, atol=1e-6)
        found["flipped"] += 1
print(json.dumps(found))
"""
EXAMPLES = 40  # ten batches of four: each of the records once, where nothing shuffles


@pytest.fixture(scope="module")
def found(digits: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(write_config(digits, "input.config"))],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    counted: dict[str, Any] = json.loads(done.stdout)
    return counted


def test_examples_are_shuffled_unless_the_config_says_no(found: dict[str, Any]) -> None:
    assert len(set(found["plain"])) == EXAMPLES  # in the order of the records
    assert set(found["shuffled"]) <= set(found["plain"])
    assert found["shuffled"] != found["plain"]


def test_images_are_flipped_with_their_boxes_now_and_then(found: dict[str, Any]) -> None:
    assert found["flipped"] + found["same"] == EXAMPLES
    assert min(found["flipped"], found["same"]) > 5  # fewer: a chance of one in ten thousand
