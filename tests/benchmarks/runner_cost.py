"""The runner's own time a trial, a journal's loading, and a suggestion, at sizes that a long search has."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np

from boxtune.experiment.experiment import parse_experiment
from boxtune.experiment.source import JsonObject
from boxtune.experiment.space import Assignments
from boxtune.local.events import FORMAT, Begun, Created, Ended, Event, Started
from boxtune.local.journal import JOURNAL_FILE, written_line
from boxtune.local.reading import open_run
from boxtune.runs.trial import Condition, Metric, Role
from boxtune.search.catalogue import create_policy, find_algorithm
from boxtune.search.policy import SearchProblem, Surroundings
from tests.benchmarks.curves import WHOLE, LearningCurves
from tests.benchmarks.record_curves import DEFAULT, EVALUATIONS, SPACE
from tests.benchmarks.replays import OBJECTIVE
from tests.boxtune.search.workers import Workers
from tests.experiments import BOXTUNE, shell_experiment, write

TRIALS = 1000
MANY = 10_000
LAST = 20


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
        policy = create_policy(parse_experiment(experiment, {}))
        policy.suggest(run.trials[:-1])
        began = time.perf_counter()
        policy.suggest(run.trials)
        print(f"a tpe suggestion after {TRIALS} trials: {1000 * (time.perf_counter() - began):.0f} ms")
        began = time.perf_counter()
        create_policy(parse_experiment(experiment, {})).suggest(run.trials)
        print(f"the same by a policy that has seen none of them: {1000 * (time.perf_counter() - began):.0f} ms")
        seconds, configs = seconds_to_suggest()
        print(f"an asha suggestion after {TRIALS} rungs of {configs} configs: {1000 * seconds:.0f} ms")
        print(f"a journal of {MANY} trials loads in {seconds_to_load(folder / 'many', experiment):.2f} s")


def seconds_to_suggest() -> tuple[float, int]:
    """Of asha over the last of so many rungs, promotions among them; how many configs it has begun by then."""
    curves, every = LearningCurves.read(), WHOLE // EVALUATIONS

    def measured(assignments: Assignments, number: int, step: int) -> Mapping[str, float]:
        return curves.measured(assignments, np.random.default_rng(number))[step // every - 1]

    def whole(assignments: Assignments) -> int:
        return WHOLE

    problem = SearchProblem(SPACE, OBJECTIVE, {}, 1, None, Surroundings(whole, None, DEFAULT))
    workers = Workers(find_algorithm("asha").policy(problem), measured, whole)
    workers.run(TRIALS - LAST)
    seconds = 0.0
    for _ in range(LAST):
        began = time.perf_counter()
        workers.policy.suggest(list(workers.trials.values()))
        seconds += time.perf_counter() - began
        workers.run(1)
    return seconds / LAST, len(workers.trials)


def seconds_to_load(folder: Path, experiment: JsonObject) -> float:
    """How long the journal of MANY trials takes to load, each created, started and ended."""
    folder.mkdir()
    moment = "2026-01-01T00:00:00.000000Z"
    journal: list[Event] = [Begun(time=moment, experiment=experiment, config_maps={}, options={}, format=FORMAT)]
    metrics = tuple(Metric(name, "0.1", "0.1", "0.1") for name in ("score", "a", "b", "c", "d"))
    for number in range(MANY):
        name = f"shell-{number + 1:05d}"
        journal.append(
            Created(time=moment, trial=name, role=Role.SUGGESTED, number=number, assignments={"x": f"0.{number}"})
        )
        journal.append(Started(time=moment, trial=name))
        journal.append(
            Ended(
                time=moment,
                trial=name,
                condition=Condition.SUCCEEDED,
                reason="",
                exit_code=0,
                observation=metrics,
                seconds=1.0,
            )
        )
    lines = (written_line(event, number) for number, event in enumerate(journal, start=1))
    (folder / JOURNAL_FILE).write_bytes(b"".join(lines))
    began = time.perf_counter()
    assert len(open_run(folder).trials) == MANY
    return time.perf_counter() - began


def seconds_of_trials(run: Path) -> float:
    """From the first trial's start to the run's end, by its journal."""
    lines = (run / "journal.jsonl").read_text().splitlines()
    moments = [datetime.fromisoformat(json.loads(line)["time"]) for line in lines]
    return (moments[-1] - moments[1]).total_seconds()


if __name__ == "__main__":
    main()
