"""Every fragment is a model that the API builds and that learns: one training step each, swapped in from another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CONFIGS

PROGRAM = """
import json, math, sys
from pathlib import Path
from trial_entry.detection.runtime import autograph, start_runtime
strategy = start_runtime(1, False)
import tensorflow as tf
from trial_entry.detection.evaluation import TRAINING_LOSS
from trial_entry.detection.model import build_model
from trial_entry.detection.training import Trainer
from trial_entry.contract.arguments import Assignment
from trial_entry.pipeline_config.base_config import BaseConfig
for case in json.loads(sys.argv[2]):
    config = BaseConfig.read(Path(sys.argv[1])).render([Assignment(*each) for each in case.items()]).config
    tf.keras.backend.clear_session()
    with autograph(False):
        built = build_model(config, strategy)
    before = [weight.numpy() for weight in built.model.trainable_variables]
    losses = []
    trainer = Trainer(built, config)
    trainer.trace()
    trainer.run(1, lambda results: losses.extend(each.losses[TRAINING_LOSS] for each in results) or True)
    assert 0 < losses[0] < 1e5, (case, losses)
    assert any((old != new.numpy()).any() for old, new in zip(before, built.model.trainable_variables)), case
"""
SMALL = {"batch_size": "2", "image_size": "256", "train_config.optimizer.adam_optimizer.epsilon": "1e-7"}
# From MobileNetV2 with six maps (the quick-start's), each to the next; the way back to it is the last.
SSD = [
    {"feature_extractor": "ssd_mobilenet_v2_fpn_keras"},
    {"feature_extractor": "ssd_resnet50_v1_fpn_keras"},
    {"model": "ssd_resnet50_v1_fpn_keras", "feature_extractor": "ssd_mobilenet_v2_keras"},
    {"model": "ssd_resnet50_v1_fpn_keras", "feature_extractor": "ssd_efficientnet-b0_bifpn_keras"},
]
TWO_STAGE = [
    {"model": "faster_rcnn_resnet50_keras"},
    {"model": "faster_rcnn_resnet50_keras", "feature_extractor": "faster_rcnn_resnet50_fpn_keras"},
    {"model": "faster_rcnn_resnet50_fpn_keras", "feature_extractor": "faster_rcnn_resnet50_keras"},
    {"model": "hourglass_10"},
]


@pytest.mark.parametrize(
    "cases", [SSD, pytest.param(TWO_STAGE, marks=pytest.mark.e2e)], ids=["ssd", "two_stage_and_center_net"]
)
def test_each_is_built_and_trained_for_a_step(data: Path, cases: list[dict[str, str]]) -> None:
    wanted = json.dumps([SMALL | case for case in cases])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(data / "pipeline.config"), wanted],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_from_two_stages_to_one(data: Path) -> None:
    """`model=` the other way: a Faster R-CNN config becomes an SSD that trains."""
    text = (CONFIGS / "faster_rcnn_resnet50.config").read_text()
    (data / "faster_rcnn.config").write_text(text)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
            str(data / "faster_rcnn.config"),
            json.dumps([{"model": "ssd_mobilenet_v2_keras"}]),
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
