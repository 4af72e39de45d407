"""Seconds to render a config and to check an Experiment, the process's start included."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.conftest import EXPERIMENTS, QUICK_START
from tests.experiments import BOXTUNE

ROUNDS = 7
RENDER = f"""
from pathlib import Path
from trial_entry.pipeline_config.aliases.alias import Surroundings
from trial_entry.contract.arguments import Assignment
from trial_entry.pipeline_config.render import assign
from trial_entry.pipeline_config.text import read_config
config = read_config(Path({str(QUICK_START / "pipeline.config")!r}))
values = {{"learning_rate": "0.01", "batch_size": "8", "feature_extractor": "ssd_resnet50_v1_fpn_keras"}}
assign(config, [Assignment(*each) for each in values.items()], Surroundings())
"""


def main() -> None:
    """Print both."""
    _print("a config with three assignments, one of them a fragment", [sys.executable, "-c", RENDER], 0)
    # Its volume has no folder here: one of the findings, and the same work.
    _print("boxtune check of the random search", [*BOXTUNE, "check", str(EXPERIMENTS / "random-search.yaml")], 2)


def _print(what: str, command: Sequence[str], code: int) -> None:
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False)
        seconds.append(time.perf_counter() - began)
        assert done.returncode in (0, code), done.stderr
    print(f"{what}: {statistics.median(seconds):.2f} s ({min(seconds):.2f}–{max(seconds):.2f})")


if __name__ == "__main__":
    main()
