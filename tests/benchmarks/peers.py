"""The runner's own time a trial beside Ray Tune's and plain Optuna's, on trials that only report a number.

Everybody runs the same shell command as a process of its own a trial, since that is what isolates a crash, and reads
the number from its output. Peers are not Boxtune's dependencies: `scripts/bench peers` installs them beside.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TRIALS = 200
ROUNDS = 3
RAY_TRIALS = 20  # it starts a process of its own for each, which takes seconds
LIMIT = 300.0  # seconds a side; what takes longer is printed as inf


def report(x: float) -> float:
    """One trial: a process that prints its number."""
    done = subprocess.run(["sh", "-c", f"echo score={x}"], capture_output=True, text=True, check=True)
    return float(done.stdout.partition("=")[2])


def boxtune(parallel: int) -> float:
    """Seconds from the first trial's start to the last one's end, by the journal."""
    from tests.benchmarks.runner_cost import seconds_of_trials
    from tests.experiments import boxtune as command
    from tests.experiments import shell_experiment, write

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiment = shell_experiment(maxTrialCount=TRIALS, parallelTrialCount=parallel)
        ended = command("run", write(folder / "experiment.yaml", experiment), "--out", folder / "run")
        assert ended.code == 0, ended.err
        return seconds_of_trials(folder / "run")


def optuna(parallel: int) -> float:
    """Plain Optuna: random sampler, a study in a journal file, threads."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        storage = JournalStorage(JournalFileBackend(f"{name}/journal.log"))
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), storage=storage)
        began = time.perf_counter()
        study.optimize(lambda trial: report(trial.suggest_float("x", 0, 1)), n_trials=TRIALS, n_jobs=parallel)
        return time.perf_counter() - began


def ray_tune(parallel: int) -> float:
    """Ray Tune with its defaults; Ray itself is started before."""
    import ray  # type: ignore[import-not-found]  # not locked: it installs no lighter than TensorFlow
    from ray import tune

    def trainable(config: dict[str, float]) -> None:
        tune.report({"score": report(config["x"])})

    ray.init(num_cpus=parallel, log_to_driver=False, logging_level="ERROR", include_dashboard=False)
    with tempfile.TemporaryDirectory() as name:
        tuner = tune.Tuner(
            tune.with_resources(trainable, {"cpu": 1}),
            param_space={"x": tune.uniform(0, 1)},
            tune_config=tune.TuneConfig(
                num_samples=RAY_TRIALS, max_concurrent_trials=parallel, metric="score", mode="max"
            ),
            run_config=tune.RunConfig(storage_path=name, verbose=0),
        )
        began = time.perf_counter()
        results = tuner.fit()
        seconds = time.perf_counter() - began
        assert len(results) == RAY_TRIALS
    ray.shutdown()
    return seconds


SIDES: dict[str, Callable[[int], float]] = {"Boxtune": boxtune, "Optuna": optuna, "Ray Tune": ray_tune}


def main() -> None:
    """Print milliseconds a trial and the ratios; each measurement is a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has ray")
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--parallel", type=int)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(SIDES[given.side](given.parallel)))
        return
    print(f"{TRIALS} trials that print a number ({RAY_TRIALS} for Ray Tune), milliseconds a trial; ", end="")
    print(f"median (least–most) of {ROUNDS}")
    for parallel in (2, 8):
        measured: dict[str, list[float]] = {name: [] for name in SIDES}
        for _ in range(ROUNDS):
            for name in SIDES:
                trials = RAY_TRIALS if name == "Ray Tune" else TRIALS
                measured[name].append(_measure(name, parallel, given.python) * 1000 / trials)
        ours = statistics.median(measured["Boxtune"])
        for name, values in measured.items():
            middle = statistics.median(values)
            times = f"{middle:6.1f} ({min(values):.1f}–{max(values):.1f})"
            print(f"  {parallel} at a time  {name:9}{times}   {name} / Boxtune {middle / ours:.2f}")


def _measure(name: str, parallel: int, python: str) -> float:
    interpreter = python if name == "Ray Tune" else sys.executable
    command = [interpreter, "-m", "tests.benchmarks.peers", "--side", name, "--parallel", str(parallel)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return math.inf
    assert done.returncode == 0, done.stderr[-3000:]
    found: Any = json.loads(done.stdout.strip().splitlines()[-1])
    return float(found)


if __name__ == "__main__":
    main()
