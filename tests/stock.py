"""The API's own programs, as processes of their own: `python tests/stock.py model_main_tf2 --flags`.

They need the same repairs as ours to run on a current TensorFlow, and nothing else of ours. `--single_steps` comes with
them: its training loop traces one step where it else traces the first 99 of a block and the last, which takes as long
again.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

_SECONDS = 600.0
SINGLE_STEPS = "--single_steps"


def stock(program: str, *flags: str) -> float:
    """Run `object_detection.PROGRAM` to its end and return its peak memory, MiB; raises with its output on failure."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([sys.executable, __file__, program, *flags], stdout=output, stderr=output)
        limit = threading.Timer(_SECONDS, process.kill)
        limit.start()
        _, status, usage = os.wait4(process.pid, 0)
        limit.cancel()
        output.seek(0)
        assert status == 0, output.read()[-4000:]
        return usage.ru_maxrss / 1024


def evaluated(model_dir: Path) -> dict[str, float]:
    """What `model_main_tf2` measured last, from the event files that it wrote below `model_dir`/eval."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    folder = next(path.parent for path in sorted((model_dir / "eval").rglob("events.*")))
    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: float(tensor_util.make_ndarray(events.Tensors(tag)[-1].tensor_proto))
        for tag in events.Tags()["tensors"]
        if "side_by_side" not in tag
    }


def trained_and_evaluated(config: Path, model_dir: Path, steps: int) -> dict[str, float]:
    """Train by `model_main_tf2` and measure by a second one, as people do: what it measured of the last checkpoint."""
    flags = (f"--pipeline_config_path={config}", f"--model_dir={model_dir}")
    stock("model_main_tf2", *flags, f"--checkpoint_every_n={steps}")
    stock("model_main_tf2", *flags, f"--checkpoint_dir={model_dir}", "--eval_timeout=1")
    return evaluated(model_dir)


if __name__ == "__main__":
    from trial_entry.detection.compat import load_api

    load_api()
    from official.modeling.optimization.ema_optimizer import ExponentialMovingAverage as Averages

    # The evaluation calls it outside of any strategy, where it raises: no config with averages can be evaluated.
    Averages.swap_weights = Averages._swap_weights
    sys.argv = sys.argv[1:]
    if SINGLE_STEPS in sys.argv:
        from object_detection import model_lib_v2

        sys.argv.remove(SINGLE_STEPS)
        model_lib_v2.train_loop = partial(model_lib_v2.train_loop, num_steps_per_iteration=1)
    runpy.run_module(f"object_detection.{sys.argv[0]}", run_name="__main__", alter_sys=True)
