"""The API's own programs, as processes of their own: `python tests/stock.py model_main_tf2 --flags`.

They need the same repairs as ours to run on a current TensorFlow, and nothing else of ours.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path


def stock(program: str, *flags: str) -> None:
    """Run `object_detection.PROGRAM` to its end; raises with its output where it fails."""
    done = subprocess.run(
        [sys.executable, __file__, program, *flags], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]


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


if __name__ == "__main__":
    from trial_entry.detection.compat import load_api

    load_api()
    sys.argv = sys.argv[1:]
    runpy.run_module(f"object_detection.{sys.argv[0]}", run_name="__main__", alter_sys=True)
