"""asha and random search on the demo with the same budget in steps, by real trainings, five seeds each.

Both begin with the base config. What counts is the mAP on the test split of the detector that each hands over, which no
trial reads: the validation mAP by which it was chosen is too good, and more so the more configs there were. A search
takes five minutes on two cores; each that has ended is kept in the folder, and the same command goes on with the rest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from boxtune.demo.digits import DigitsSpec, make_digits
from boxtune.experiment.loading import load_experiment
from boxtune.local.other_algorithm import with_algorithm
from boxtune.local.reading import open_run
from boxtune.runs.run import Run
from boxtune.runs.trained_config import trained_config
from boxtune.runs.trial import Trial
from tests.conftest import EXPERIMENTS
from tests.experiments import BOXTUNE, container, write
from tests.trials import run, train_arguments

STEPS, SEEDS, TRIALS = 3000, (1, 2, 3, 4, 5), 60
ARMS = ("random", "asha")


def main() -> None:
    """Search, measure, and print each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the searches go, and are gone on with")
    folder = parser.parse_args().folder.resolve()
    if not (folder / "data").is_dir():
        make_digits(folder / "data", DigitsSpec())
    found = {seed: {arm: _searched(folder, arm, seed) for arm in ARMS} for seed in SEEDS}
    print(
        f"{STEPS} steps, the demo; mAP on the test split of what is handed over (on validation; configs begun, whole)\n"
    )
    print("| seed | " + " | ".join(ARMS) + " | asha - random |\n| --- | --- | --- | --- |")
    for seed, each in found.items():
        gain = each["asha"]["test"] - each["random"]["test"]
        print(f"| {seed} | " + " | ".join(_cell(each[arm]) for arm in ARMS) + f" | {gain:+.3f} |")
    gains = [each["asha"]["test"] - each["random"]["test"] for each in found.values()]
    means = (statistics.mean(each[arm]["test"] for each in found.values()) for arm in ARMS)
    print("| mean | " + " | ".join(f"{mean:.3f}" for mean in means) + f" | {statistics.mean(gains):+.3f} |")
    print(f"\nstandard error of the mean difference: {statistics.stdev(gains) / len(gains) ** 0.5:.3f}")


def _cell(each: Mapping[str, Any]) -> str:
    return f"{each['test']:.3f} ({each['validation']:.3f}; {each['begun']}, {each['whole']})"


def _searched(folder: Path, arm: str, seed: int) -> dict[str, float]:
    """One search, and what came of it; read from its file where it has been there."""
    out = folder / f"{arm}-{seed}"
    kept = out / "measured.json"
    if not kept.exists():
        file = _experiment(folder, arm, seed)
        options = (f"--volume=data={folder / 'data'}", f"--out={out}", f"--max-steps={STEPS}")
        subprocess.run([*BOXTUNE, "run", str(file), *options], stdout=subprocess.DEVNULL, check=True)
        kept.write_text(json.dumps(_measured(open_run(out), out)))
    measured: dict[str, float] = json.loads(kept.read_text())
    return measured


def _experiment(folder: Path, arm: str, seed: int) -> Path:
    """The quick start with this algorithm and this seed, of the search and of its trainings."""
    config_map = next(yaml.safe_load_all((EXPERIMENTS / "quick-start.yaml").read_text()))
    raw = dict(with_algorithm(load_experiment(EXPERIMENTS / "quick-start.yaml"), arm).raw)
    raw["spec"]["algorithm"] = {
        "algorithmName": arm,
        "algorithmSettings": [{"name": "random_state", "value": str(seed)}],
    }
    raw["spec"]["maxTrialCount"] = TRIALS
    given = container(raw)
    given["args"] = [f"--seed={seed}" if text.startswith("--seed=") else text for text in given["args"]]
    return write(folder / f"{arm}-{seed}.yaml", config_map, raw)


def _measured(searched: Run, out: Path) -> dict[str, float]:
    best = searched.optimal
    if best is None or (searched.baseline is not None and _value(searched, searched.baseline) > _value(searched, best)):
        best = searched.baseline  # a search that found nothing better hands over what there was
    assert best is not None
    config = trained_config(best)
    assert config is not None
    file = out / "test.json"
    ended = run("evaluate", *train_arguments(config, config.parent, "--reader=test", f"--output={file}"))
    assert ended.code == 0, ended.err
    return {
        "test": json.loads(file.read_text())["metrics"]["mAP"],
        "validation": _value(searched, best),
        "begun": len(searched.trials),
        "whole": sum(trial.condition.measured for trial in searched.trials),
    }


def _value(searched: Run, trial: Trial) -> float:
    return trial.measured_value(searched.experiment.objective) or 0.0


if __name__ == "__main__":
    main()
