"""mAP of the stock programs and of ours: one config, five seeds each.

Stock takes no seed and draws its own; what is compared is the spread.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from boxtune.demo.digits import DigitsSpec, make_digits
from tests.conftest import QUICK_START
from tests.stock import trained_and_evaluated
from tests.trials import rows, run, train_arguments

STEPS = 300
SEEDS = 5


def main() -> None:
    """Train each, print every mAP, mean and standard deviation."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_digits(folder, DigitsSpec())
        (folder / "pipeline.config").write_text((QUICK_START / "pipeline.config").read_text())
        found: dict[str, list[float]] = {"ours": [], "stock": []}
        for seed in range(SEEDS):
            found["ours"].append(_ours(folder, seed))
            found["stock"].append(_stock(folder, seed))
            print({side: values[-1] for side, values in found.items()}, file=sys.stderr, flush=True)
    print(f"mAP after {STEPS} steps of the quick-start's config, {SEEDS} seeds each")
    for side, values in found.items():
        each = " ".join(f"{value:.3f}" for value in sorted(values))
        print(f"  {side:6} mean {statistics.mean(values):.3f}, deviation {statistics.stdev(values):.3f}   ({each})")


def _ours(folder: Path, seed: int) -> float:
    model_dir = folder / f"ours-{seed}"
    arguments = train_arguments(folder / "pipeline.config", model_dir, f"--set=num_steps={STEPS}", f"--seed={seed}")
    ended = run(*arguments)
    assert ended.code == 0, ended.err
    return float(rows(model_dir)[-1]["metrics"]["mAP"])


def _stock(folder: Path, seed: int) -> float:
    model_dir = folder / f"stock-{seed}"
    config = folder / f"ours-{seed}" / "pipeline.config"  # as it was rendered
    return trained_and_evaluated(config, model_dir, STEPS)["DetectionBoxes_Precision/mAP"]


if __name__ == "__main__":
    main()
