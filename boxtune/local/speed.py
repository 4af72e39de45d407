"""How fast trials of an Experiment train on this machine: in bfloat16 or not, and how many at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from boxtune.errors import ExperimentError
from boxtune.execution.executor import Executor
from boxtune.execution.jobs import EndedJob, Job
from boxtune.execution.resources import Shares, gpus
from boxtune.execution.servers import SERVER_LOG
from boxtune.experiment.experiment import Experiment
from boxtune.local.outcome import last_words
from boxtune.local.template import Template
from trial_entry.contract.files import METRICS_FILE
from trial_entry.contract.metrics import STEPS_PER_SECOND
from trial_entry.contract.records import read_rows, read_trial

BFLOAT16 = "bfloat16"
_BFLOAT16_FIELD = "train_config.use_bfloat16"
_MORE_AT_A_TIME = (2, 4)


@dataclass(frozen=True)
class Speed:
    """One way to train.

    Attributes:
        bfloat16: whether in bfloat16 (as the config says where False).
        at_a_time: trials.
        steps_per_second: of all of them together.
        memory: MiB, of the largest trial.
        problem: why there are no numbers, or empty.
    """

    bfloat16: bool
    at_a_time: int
    steps_per_second: float = 0.0
    memory: float = 0.0
    problem: str = ""


def measure_speed(
    experiment: Experiment,
    volumes: Mapping[str, Path],
    steps: int,
    folder: Path,
    before: Callable[[bool, int], None],
) -> Iterator[Speed]:
    """Train the base config's own values for `steps` steps, in every way in turn; nothing else should run meanwhile.

    Args:
        volumes: folder by the name of a volume or claim.
        folder: takes the trials; empty.
        before: is told what comes next: whether in bfloat16, and how many at a time.

    Raises:
        ExperimentError: the trials are not trial_entry's, or this machine cannot run them.
    """
    template = Template(experiment, volumes, steps)
    for bfloat16, at_a_time in _ways(template):
        before(bfloat16, at_a_time)
        yield _measure(template, folder, bfloat16, at_a_time)


def _ways(template: Template) -> Iterator[tuple[bool, int]]:
    yield False, 1
    if not {BFLOAT16, _BFLOAT16_FIELD} & set(template.sets().values()):
        yield True, 1
    for at_a_time in _MORE_AT_A_TIME:
        if Shares(at_a_time, template.gpus, gpus()).parallel == at_a_time:
            yield False, at_a_time


def _measure(template: Template, folder: Path, bfloat16: bool, at_a_time: int) -> Speed:
    way = f"{at_a_time}-{BFLOAT16 if bfloat16 else 'plain'}"
    jobs = [_job(template, folder / f"{way}-{number}", bfloat16) for number in range(at_a_time)]
    ended: list[EndedJob] = []
    with Executor(folder, folder / "lock", Shares(at_a_time, template.gpus, gpus())) as executor:
        for job in jobs:
            executor.start(job)
        while executor.running:
            executor.wait()
            ended += executor.collect_ended()
    failed = next((each for each in ended if each.code), None)
    if failed is not None:
        problem = last_words(failed.job.log) or f"exit code {failed.code}"
        server = last_words(folder / SERVER_LOG)  # the folder is not kept, so nobody can look there later
        return Speed(bfloat16, at_a_time, problem=f"{problem}: {server}" if server else problem)
    return _speed([job.log.parent for job in jobs], bfloat16, at_a_time)


def _job(template: Template, folder: Path, bfloat16: bool) -> Job:
    """A trial of the base config's own values."""
    folder.mkdir()
    assignments = template.baseline()
    if assignments is None:
        raise ExperimentError("the base config's own values cannot be trained: every parameter must be a --set")
    command = template.command(folder.name, assignments, folder)
    argv = [*command.argv, *([f"--set={BFLOAT16}=true"] if bfloat16 else [])]
    return Job(folder.name, argv, {**os.environ, **command.environment}, command.folder, folder / "log")


def _speed(folders: list[Path], bfloat16: bool, at_a_time: int) -> Speed:
    """What the trials in these folders have measured of themselves."""
    written = [next(folder.rglob(METRICS_FILE), None) for folder in folders]
    model_dirs = [file.parent for file in written if file is not None]
    if len(model_dirs) < at_a_time:
        return Speed(bfloat16, at_a_time, problem="its model_dir is none of the trial's own folders (an emptyDir)")
    records = [read_trial(model_dir) for model_dir in model_dirs]
    diverged = next((each.diverged for each in records if each.diverged is not None), None)
    if diverged is not None:
        return Speed(bfloat16, at_a_time, problem=f"diverged: {diverged}")
    metrics = [read_rows(model_dir)[-1].metrics for model_dir in model_dirs]
    rates = [each[STEPS_PER_SECOND] for each in metrics if STEPS_PER_SECOND in each]
    if len(rates) < at_a_time:
        return Speed(bfloat16, at_a_time, problem="it ended after too few steps to tell")
    return Speed(bfloat16, at_a_time, sum(rates), max(each.peak_memory_mib or 0 for each in records))
