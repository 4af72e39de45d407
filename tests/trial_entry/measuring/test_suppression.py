"""Suppression by NumPy is the API's own: on random boxes in every way, and on real models."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.configs.zoo import ZOO
from tests.conftest import CONFIGS
from tests.forks import Run
from tests.trials import train_arguments
from trial_entry.errors import DataError, RequestError
from trial_entry.measuring.raw_detections import RawDetections
from trial_entry.measuring.suppression import Candidates, Suppression, suppress

ON_RANDOM_BOXES = """
import itertools, sys
import numpy as np
from trial_entry.detection.compat import load_api
load_api()
import tensorflow as tf
from object_detection.core import post_processing
from trial_entry.measuring.suppression import Candidates, Suppression, suppress

random, compared = np.random.default_rng(5), 0
for agnostic, sigma, change, own_boxes, window in itertools.product(
    (False, True), (0.0, 0.3), (False, True), (False, True), ([0, 0, 1, 1], [0, 0, 0.75, 0.9])
):
    anchors, classes = 60, 3
    low = random.uniform(-0.2, 0.9, (anchors, classes if own_boxes else 1, 2))
    boxes = np.concatenate([low, low + random.uniform(0, 0.4, low.shape)], 2).astype(np.float32)
    scores = random.choice(np.linspace(0.05, 0.95, 12), (anchors, classes)).astype(np.float32)  # many equal ones
    window = np.array(window, np.float32)
    ours = Suppression(0.2, 0.45, 7, 12, agnostic, sigma, change)
    found, scored, labels, *_, count = post_processing.batch_multiclass_non_max_suppression(
        tf.constant(boxes[None]), tf.constant(scores[None]), 0.2, 0.45, 7, 12,
        clip_window=tf.constant(window), change_coordinate_frame=change,
        soft_nms_sigma=sigma, use_class_agnostic_nms=agnostic, max_classes_per_detection=1,
    )
    count = int(count[0])
    places = np.argwhere(scores > 0.01)
    raw = Candidates(
        places[:, 0].astype(np.int32), places[:, 1].astype(np.int32),
        boxes[places[:, 0], places[:, 1] if own_boxes else 0], scores[places[:, 0], places[:, 1]],
    )
    left = suppress(raw, window, ours)
    assert count and len(left.scores) == count, (ours, own_boxes, count, len(left.scores))
    np.testing.assert_array_equal(left.labels, labels[0, :count].numpy())
    np.testing.assert_allclose(left.scores, scored[0, :count].numpy(), rtol=0 if not sigma else 1e-6)
    np.testing.assert_allclose(left.boxes, found[0, :count].numpy(), rtol=1e-6, atol=1e-7)
    compared += count
assert compared > 300, compared
"""


def test_it_is_the_apis_on_random_boxes() -> None:
    done = subprocess.run([sys.executable, "-c", ON_RANDOM_BOXES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


ON_A_MODEL = """
import sys
from pathlib import Path
import numpy as np
from trial_entry.contract.arguments import Assignment
from trial_entry.detection.runtime import autograph, start_runtime
strategy = start_runtime(1, False)
from trial_entry.detection.evaluation import Evaluator
from trial_entry.detection.model import build_model
from trial_entry.measuring.raw_detections import RawCollector, RawDetections
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.records.dataset import inspect
assignments = [Assignment.parse(text) for text in sys.argv[3:]]
config = BaseConfig.read(Path(sys.argv[1])).render(assignments).config
labels = inspect(config).label_map
with autograph(False):
    built = build_model(config, strategy, optimizer=False)
raw = RawCollector()
evaluator = Evaluator(built, config, labels, 0.5, raw)
metrics = evaluator.evaluate()
raw.collected(labels.labels, labels.metric_names()).write(Path(sys.argv[2]))
read = RawDetections.read(Path(sys.argv[2]))
again = read.detections(read.suppression)
truths = evaluator.detections.annotations  # COCO's evaluation has left a mark in each
assert again.annotations == [{name: truth[name] for name in again.annotations[0]} for truth in truths]
theirs = evaluator.detections.results
assert len(theirs) > 10, len(theirs)
assert len(again.results) == len(theirs), (len(again.results), len(theirs))
for one, other in zip(again.results, theirs):
    assert all(one[name] == other[name] for name in ("image_id", "category_id")), (one, other)
    tolerance = 1e-6 if read.suppression.soft_sigma else 0  # of its exponential
    assert abs(one["score"] - other["score"]) <= tolerance, (one, other)
    np.testing.assert_allclose(one["bbox"], other["bbox"], rtol=1e-4, atol=1e-3)
ours = read.metrics(read.suppression, 0.5)
for name, value in ours.items():
    assert abs(value - metrics[name]) < 1e-6, (name, value, metrics[name])
assert set(metrics) - set(ours) == {"total_loss"}
"""


@pytest.mark.parametrize(
    ("config", "assignments"),
    [
        ("pipeline.config", ["nms_score_threshold=0.001", "nms_iou_threshold=0.3"]),
        ("pipeline.config", ["nms_score_threshold=0.001",
                             "model.ssd.post_processing.batch_non_max_suppression.use_class_agnostic_nms=true"]),
        ("pipeline.config", ["nms_score_threshold=0.001",
                             "model.ssd.post_processing.batch_non_max_suppression.soft_nms_sigma=0.5"]),
        ("faster_rcnn.config", ["nms_score_threshold=0.001", "nms_iou_threshold=0.4"]),
    ],
)  # fmt: skip
def test_it_is_the_apis_on_a_real_model(data: Path, tmp_path: Path, config: str, assignments: list[str]) -> None:
    (data / "faster_rcnn.config").write_text((CONFIGS / "faster_rcnn_resnet50.config").read_text())
    command = [sys.executable, "-c", ON_A_MODEL, str(data / config), str(tmp_path / "raw.npz"), *assignments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_evaluate_keeps_them_and_metrics_are_measured_again(data: Path, tmp_path: Path, forked: Run) -> None:
    config, model_dir, file = data / "pipeline.config", tmp_path / "model", tmp_path / "raw.npz"
    assert forked(*train_arguments(config, model_dir, "--num_train_steps=2")).code == 0
    ended = forked("evaluate", *train_arguments(config, model_dir, f"--raw_detections={file}"))
    assert ended.code == 0, ended.err
    printed = {name: value for _, name, value in ended.metrics}
    raw = RawDetections.read(file)
    assert len(raw.images) == 12
    assert raw.floor == max(0.001, raw.suppression.score_threshold)
    measured = json.loads((model_dir / "evaluation.json").read_text())["metrics"]
    assert measured == printed
    with pytest.raises(RequestError, match="boxes were kept from"):
        raw.metrics(Suppression(raw.floor / 2, 0.5, 100, 100), 0.5)
    sure = raw.detections(Suppression(0.9999, 0.5, 100, 100))
    assert len(sure.annotations) > 0
    assert all(result["score"] > 0.9999 for result in sure.results)


def test_a_center_net_has_nothing_to_suppress(data: Path, tmp_path: Path, forked: Run) -> None:
    config = data / "pipeline.config"
    zoo = ZOO["centernet_hourglass104_512x512"]
    model = zoo[zoo.index("model") : zoo.index("train_config")]
    config.write_text(model + config.read_text()[config.read_text().index("train_config") :])
    ended = forked("evaluate", *train_arguments(config, tmp_path, f"--raw_detections={tmp_path / 'raw.npz'}"))
    assert ended.code == 2
    assert "a CenterNet finds peaks and suppresses no boxes" in ended.reason


def test_nothing_is_left_of_nothing() -> None:
    nothing = np.zeros(0, np.int32)
    raw = Candidates(nothing, nothing, np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    for agnostic in (False, True):
        left = suppress(raw, np.array([0, 0, 1, 1], np.float32), Suppression(0.1, 0.5, 10, 10, agnostic))
        assert left.boxes.shape == (0, 4)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_a_file_that_is_none_is_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "raw.npz"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"\A[^\n]+raw.npz: no raw detections[^\n]+\Z"):
        RawDetections.read(file)
