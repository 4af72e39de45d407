"""Several devices: no GPU is needed to see that the mirrored step runs, learns and saves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
from trial_entry.detection.compat import load_api
load_api()
import tensorflow as tf
processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
from trial_entry.detection.checkpoints import Checkpoints
from trial_entry.detection.evaluation import TRAINING_LOSS, Evaluator
from trial_entry.detection.model import build_model
from trial_entry.detection.runtime import autograph
from trial_entry.detection.training import Trainer
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.records.dataset import inspect
config = BaseConfig.read(Path(sys.argv[1])).render([]).config
with autograph(False):
    built = build_model(config, strategy)
losses = []
trainer = Trainer(built, config)
trainer.trace()
trainer.run(3, lambda results: losses.extend(each.losses[TRAINING_LOSS] for each in results) or True)
assert strategy.num_replicas_in_sync == 2
assert len(losses) == 3 and all(loss == loss and 0 < loss < 1e4 for loss in losses), losses
assert int(built.global_step.numpy()) == 3
assert Checkpoints(built, Path(sys.argv[2])).save() == 3
metrics = Evaluator(built, config, inspect(config).label_map, 0.5).evaluate()
assert 0 <= metrics["mAP"] <= 1
"""


@pytest.mark.e2e
def test_two_replicas_train_together(data: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(data / "pipeline.config"), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "ckpt-3.index").is_file()
