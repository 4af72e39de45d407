"""The runner's own time a trial, a journal's loading, and a suggestion, at sizes that a long search has."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path

from boxtune.experiment.experiment import parse_experiment
from boxtune.local.history import open_run
from boxtune.search.catalogue import create_search
from tests.experiments import BOXTUNE, shell_experiment, write

TRIALS = 1000


def main() -> None:
    """Print each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiment = shell_experiment(
            "echo score=0.$$$$", maxTrialCount=TRIALS, parallelTrialCount=1, algorithm={"algorithmName": "tpe"}
        )
        command = [*BOXTUNE, "run", str(write(folder / "experiment.yaml", experiment)), "--out", str(folder / "run")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, status
        seconds = seconds_of_trials(folder / "run")
        print(f"{TRIALS} trials that only print a metric, one at a time, tpe: {1000 * seconds / TRIALS:.1f} ms a trial")
        print(f"the runner's memory at its peak: {usage.ru_maxrss / 1024:.0f} MiB")
        began = time.perf_counter()
        run = open_run(folder / "run")
        print(f"its journal loads in {time.perf_counter() - began:.3f} s ({len(run.trials)} trials)")
        search = create_search(parse_experiment(experiment, {}))
        for trial in run.trials:
            assert trial.number is not None
            search.restore(trial.number, trial.assignments)
            search.tell(trial.number, trial.value(run.experiment.objective))
        began = time.perf_counter()
        search.ask(TRIALS)
        print(f"a tpe suggestion after {TRIALS} trials: {1000 * (time.perf_counter() - began):.0f} ms")


def seconds_of_trials(run: Path) -> float:
    """From the first trial's start to the run's end, by its journal."""
    lines = (run / "journal.jsonl").read_text().splitlines()
    moments = [datetime.fromisoformat(json.loads(line)["time"]) for line in lines]
    return (moments[-1] - moments[1]).total_seconds()


if __name__ == "__main__":
    main()
