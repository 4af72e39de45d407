"""A checkpoint walks the model's Python objects; evaluation's trace, in its own thread, changes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# The trace replaces a list of the model's again and again, which the API's predict does once, and adds attributes.
PROGRAM = """
import sys, threading, time
from pathlib import Path
from trial_entry.detection.runtime import autograph, start_runtime
strategy = start_runtime(1, False)
from trial_entry.detection.checkpoints import Checkpoints
from trial_entry.detection.evaluation import Evaluator
from trial_entry.detection.model import build_model
from trial_entry.detection.training import weights_are_finite
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.records.dataset import inspect
config = BaseConfig.read(Path(sys.argv[1])).render([]).config
with autograph(False):
    built = build_model(config, strategy)
predict, begun, traced = built.model.predict, threading.Event(), threading.Event()

def restless(*arguments):
    begun.set()
    end = time.monotonic() + 3
    while time.monotonic() < end:
        built.model._batched_prediction_tensor_names = ["of", "a", "trace"]
        setattr(built.model, f"_{time.monotonic_ns()}", None)
        time.sleep(0.0001)
    found = predict(*arguments)
    traced.set()
    return found

built.model.predict = restless
checkpoints = Checkpoints(built, Path(sys.argv[2]))
evaluator = Evaluator(built, config, inspect(config).label_map, 0.5)
evaluator.prepare()
assert begun.wait(120)
for _ in range(3):
    assert weights_are_finite(built)
    checkpoints.save()
    assert checkpoints.restore_last() == 0
assert traced.is_set()
"""


def test_a_checkpoint_while_evaluation_is_traced(data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(data / "pipeline.config"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
