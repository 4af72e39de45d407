"""Learning curves of the demo's detector, recorded: what a replay of a search draws on.

The base config and 63 others of a Sobol sequence over six parameters, each trained with two seeds for ten passes over
the data and evaluated nine times on the way. A training takes a minute on two cores, all of them two hours; each is
kept when it has ended, and the same command goes on with those that are missing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import qmc

from boxtune.demo.digits import DigitsSpec, make_digits
from boxtune.execution.executor import Executor
from boxtune.execution.jobs import Job
from boxtune.execution.resources import Shares
from boxtune.experiment.space import Assignments, ParameterSpec
from boxtune.search.coordinates import coordinate
from tests.conftest import QUICK_START
from trial_entry.contract.records import read_rows
from trial_entry.contract.requests import PROGRAM
from trial_entry.model_dir import write_atomically

CURVES = Path(__file__).with_name("learning_curves.json")
CONFIGS, SEEDS, EVALUATIONS, EPOCHS = 64, (1, 2), 9, 10
METRICS = ("mAP", "total_loss")
SPACE = (
    ParameterSpec("learning_rate", "double", 1e-4, 3e-2, None, (), "logUniform"),
    ParameterSpec("batch_size", "discrete", values=("8", "16", "32")),
    ParameterSpec("optimizer", "categorical", values=("adam", "momentum")),
    ParameterSpec("warmup_fraction", "double", 0.0, 0.3),
    ParameterSpec("localization_loss_weight", "double", 0.1, 3.0, None, (), "logUniform"),
    ParameterSpec("augmentation.random_horizontal_flip", "categorical", values=("on", "off")),
)
# The base config's own values.
DEFAULT = dict(zip((spec.name for spec in SPACE), ("0.001", "16", "adam", "0.1", "0.3", "off"), strict=True))
_DIGITS = 5  # of a recorded number


@dataclass(frozen=True)
class _Training:
    """One training: assignments and a seed."""

    number: int
    assignments: Assignments
    seed: int

    @property
    def name(self) -> str:
        return f"{self.number:02d}-{self.seed}"

    @property
    def every(self) -> int:
        """Steps between evaluations."""
        return round(DigitsSpec().train_images * EPOCHS / int(self.assignments["batch_size"]) / EVALUATIONS)

    def job(self, data: Path) -> Job:
        sets = [f"--set={name}={value}" for name, value in self.assignments.items()]
        folder = data / self.name
        argv = [
            *PROGRAM,
            f"--pipeline_config_path={data / 'pipeline.config'}",
            f"--model_dir={folder}",
            *sets,
            f"--set=num_steps={self.every * EVALUATIONS}",
            f"--eval_every_n={self.every}",
            f"--seed={self.seed}",
        ]
        folder.mkdir(exist_ok=True)
        return Job(self.name, argv, dict(os.environ), data, folder / "log")

    def recorded(self, data: Path) -> dict[str, Any]:
        """What it left, as the file keeps it."""
        rows = read_rows(data / self.name)[-EVALUATIONS:]  # one that diverged has fewer
        curves = {name: [round(row.metrics[name], _DIGITS) for row in rows] for name in METRICS}
        return {"config": self.number, "seed": self.seed, "steps": [row.step for row in rows], **curves}


def configs() -> list[Assignments]:
    """The configs that are recorded; the base config's own values first."""
    places = qmc.Sobol(len(SPACE), seed=0).random(CONFIGS)[: CONFIGS - 1]
    drawn = [
        {spec.name: coordinate(spec).decode(float(share)) for spec, share in zip(SPACE, place, strict=True)}
        for place in places
    ]
    return [DEFAULT, *drawn]


def _missing(known: list[dict[str, Any]]) -> Iterator[_Training]:
    done = {(each["config"], each["seed"]) for each in known}
    for seed, (number, assignments) in itertools.product(SEEDS, enumerate(configs())):
        if (number, seed) not in done:
            yield _Training(number, assignments, seed)


def record(work: Path, parallel: int) -> None:
    """Train what is missing; CURVES has every training that has ended."""
    make_digits(work, DigitsSpec())
    shutil.copy(QUICK_START / "pipeline.config", work / "pipeline.config")
    known: list[dict[str, Any]] = json.loads(CURVES.read_text())["trainings"] if CURVES.exists() else []
    missing = _missing(known)
    running: dict[str, _Training] = {}
    with Executor(work, work / "watchdog.lock", Shares(parallel, 0, ())) as executor:
        while True:
            while executor.has_room() and (training := next(missing, None)) is not None:
                running[training.name] = training
                executor.start(training.job(work))
            if not running:
                return
            executor.wait()
            for ended in executor.collect_ended():
                training = running.pop(ended.job.name)
                if ended.code != 0:
                    raise SystemExit(f"{training.name} ended with {ended.code}: see {ended.job.log}")
                known.append(training.recorded(work))
                shutil.rmtree(work / training.name)
                _write(known)
                print(f"{len(known)} of {CONFIGS * len(SEEDS)}: {ended.seconds:.0f} s", file=sys.stderr, flush=True)


def _write(trainings: list[dict[str, Any]]) -> None:
    lines = [json.dumps(each) for each in sorted(trainings, key=lambda each: (each["config"], each["seed"]))]
    settings = ",\n  ".join(json.dumps(each) for each in configs())
    rows = ",\n  ".join(lines)
    about = json.dumps("The demo's detector; made by tests/benchmarks/record_curves.py.")
    text = f'{{\n "about": {about},\n "configs": [\n  {settings}\n ],\n "trainings": [\n  {rows}\n ]\n}}\n'
    write_atomically(CURVES, text)


def main() -> None:
    """Record what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="a folder for data and what is trained now")
    parser.add_argument("--parallel", type=int, default=2, help="trainings at a time")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    record(given.work.absolute(), given.parallel)


if __name__ == "__main__":
    main()
