"""What a trial costs beside its steps: the stock programs and ours, one after the other, on the same config.

Stock is `model_main_tf2` for training and a second `model_main_tf2` for evaluation, with the smallest time-out that
works. The fixed cost is the wall time less the steps' own; a step's own time is that of the later steps.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from boxtune.demo.digits import DigitsSpec, make_digits
from tests.conftest import QUICK_START
from tests.stock import stock
from tests.trials import rows, run, train_arguments
from trial_entry.logs import without_chatter

STEPS = 300  # whole blocks of the stock loop, which runs 100 at a time


def main() -> None:
    """Run both and print the ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_digits(folder, DigitsSpec())
        (folder / "pipeline.config").write_text((QUICK_START / "pipeline.config").read_text())
        ours, step = measure_ours(folder)
        theirs, their_step = measure_stock(folder)
    print(f"{STEPS} steps and one evaluation of 150 images, SSD MobileNetV2 0.35 at 128 px, batch 16")
    print(f"{'':8}{'wall':>9}{'a step':>10}{'fixed':>9}")
    fixed, their_fixed = ours - STEPS * step, theirs - STEPS * their_step
    print(f"{'stock':8}{theirs:8.1f}s{their_step:9.3f}s{their_fixed:8.1f}s")
    print(f"{'ours':8}{ours:8.1f}s{step:9.3f}s{fixed:8.1f}s")
    print(f"fixed cost, stock / ours: {their_fixed / fixed:.1f}; wall, stock / ours: {theirs / ours:.1f}")


def measure_ours(folder: Path) -> tuple[float, float]:
    """Wall seconds of a trial, and of one step; the rendered config is left for stock."""
    began = time.perf_counter()
    ended = run(*train_arguments(folder / "pipeline.config", folder / "ours", f"--set=num_steps={STEPS}"))
    wall = time.perf_counter() - began
    assert ended.code == 0, ended.err
    return wall, 1 / rows(folder / "ours")[-1]["metrics"]["train_steps_per_second"]


def measure_stock(folder: Path) -> tuple[float, float]:
    """The same for the stock programs."""
    flags = (f"--pipeline_config_path={folder / 'ours' / 'pipeline.config'}", f"--model_dir={folder / 'stock'}")
    began = time.perf_counter()
    stock("model_main_tf2", *flags, f"--checkpoint_every_n={STEPS}")
    stock("model_main_tf2", *flags, f"--checkpoint_dir={folder / 'stock'}", "--eval_timeout=1")
    wall = time.perf_counter() - began
    with without_chatter():
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.util import tensor_util
    events = EventAccumulator(str(folder / "stock" / "train")).Reload()
    rates = [float(tensor_util.make_ndarray(event.tensor_proto)) for event in events.Tensors("steps_per_sec")]
    return wall, 1 / (sum(rates[1:]) / len(rates[1:]))


if __name__ == "__main__":
    main()
