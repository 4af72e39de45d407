"""Eight trials of 300 steps: the script that people copy, and `boxtune run`, with the same assignments.

The script edits the config by regular expressions and starts `model_main_tf2` twice a trial, for training and for
evaluation with the smallest `--eval_timeout` that works (people leave it at its 300 s). Both sides measure 150 images.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from boxtune.demo.digits import DigitsSpec, make_digits
from boxtune.local.reading import open_run
from tests.conftest import EXPERIMENTS
from tests.experiments import BOXTUNE, write
from tests.stock import trained_and_evaluated

STEPS = 300
RATES = ("0.001", "0.002", "0.005", "0.01")
BATCHES = ("8", "16")
AT_A_TIME = (1, 2)


def main() -> None:
    """Run both and print the ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_digits(folder / "data", DigitsSpec())
        ours = {parallel: run_ours(folder, parallel) for parallel in AT_A_TIME}
        base = next((folder / "run-1").glob("trials/*/volumes/model/pipeline.config"))
        script = run_script(folder, base.read_text())
    trials = len(RATES) * len(BATCHES)
    print(f"{trials} trials of {STEPS} steps, learning rate x batch size; minutes, and the best mAP")
    print(f"  the script            {script[0] / 60:5.1f}   {script[1]:.3f}")
    for parallel, (seconds, best) in ours.items():
        print(
            f"  boxtune, {parallel} at a time {seconds / 60:5.1f}   {best:.3f}   "
            f"script / ours {script[0] / seconds:.1f}"
        )


def run_ours(folder: Path, parallel: int) -> tuple[float, float]:
    """Seconds and best mAP of `boxtune run`, imports of the command included."""
    documents: Sequence[dict[str, Any]] = list(yaml.safe_load_all((EXPERIMENTS / "quick-start.yaml").read_text()))
    spec = next(each for each in documents if each["kind"] == "Experiment")["spec"]
    spec["algorithm"] = {"algorithmName": "grid"}
    spec["parameters"] = [
        {"name": "learning_rate", "parameterType": "discrete", "feasibleSpace": {"list": list(RATES)}},
        {"name": "batch_size", "parameterType": "discrete", "feasibleSpace": {"list": list(BATCHES)}},
    ]
    template = spec["trialTemplate"]
    template["trialParameters"] = [each for each in template["trialParameters"] if "nms" not in each["reference"]]
    container = template["trialSpec"]["spec"]["template"]["spec"]["containers"][0]
    container["args"] = [text for text in container["args"] if "nmsIou" not in text]
    file, out = write(folder / f"grid-{parallel}.yaml", *documents), folder / f"run-{parallel}"
    options = (
        f"--volume=data={folder / 'data'}",
        f"--out={out}",
        f"--num-steps={STEPS}",
        "--no-baseline",
        f"--parallel={parallel}",
    )
    began = time.perf_counter()
    subprocess.run([*BOXTUNE, "run", str(file), *options], stdout=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - began
    values = [trial.value(run.experiment.objective) or 0.0 for run in (open_run(out),) for trial in run.trials]
    assert len(values) == len(RATES) * len(BATCHES)
    print(f"boxtune, {parallel} at a time: {seconds:.0f} s", file=sys.stderr, flush=True)
    return seconds, max(values)


def run_script(folder: Path, base: str) -> tuple[float, float]:
    """Seconds and best mAP of the script."""
    best, began = 0.0, time.perf_counter()
    for number, (rate, batch) in enumerate(itertools.product(RATES, BATCHES)):
        model_dir = folder / f"script-{number}"
        model_dir.mkdir()
        text = re.sub(r"learning_rate_base: \S+", f"learning_rate_base: {rate}", base)
        # The rate alone, and the API refuses a warm-up above it; our alias moves it along.
        text = re.sub(r"warmup_learning_rate: \S+", f"warmup_learning_rate: {0.2 * float(rate):g}", text)
        text = re.sub(r"(train_config \{\s*batch_size:) \d+", rf"\1 {batch}", text)
        (model_dir / "pipeline.config").write_text(text)
        measured = trained_and_evaluated(model_dir / "pipeline.config", model_dir, STEPS)
        best = max(best, measured["DetectionBoxes_Precision/mAP"])
        print(f"script, trial {number}: {time.perf_counter() - began:.0f} s so far", file=sys.stderr, flush=True)
    return time.perf_counter() - began, best


if __name__ == "__main__":
    main()
