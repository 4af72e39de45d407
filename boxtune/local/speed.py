"""How fast trials of an Experiment train on this machine: in bfloat16 or not, and how many at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.local.outcome import last_words
from boxtune.local.processes import Processes, TrialProcess
from boxtune.local.resources import Shares, gpus
from boxtune.local.servers import TrialServers
from boxtune.local.template import Template
from trial_entry.contract.files import METRICS_FILE
from trial_entry.contract.metrics import STEPS_PER_SECOND
from trial_entry.contract.records import read_rows, read_trial

BFLOAT16 = "bfloat16"
_BFLOAT16_FIELD = "train_config.use_bfloat16"
_MORE_AT_A_TIME = (2, 4)
_LOOK_SECONDS = 0.05


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
    with Processes(folder / "lock") as processes, TrialServers(processes, folder) as servers:
        for bfloat16, at_a_time in _ways(template):
            before(bfloat16, at_a_time)
            yield _measure(_Trials(template, servers, folder), bfloat16, at_a_time)


def _ways(template: Template) -> Iterator[tuple[bool, int]]:
    yield False, 1
    if not {BFLOAT16, _BFLOAT16_FIELD} & set(template.sets().values()):
        yield True, 1
    for at_a_time in _MORE_AT_A_TIME:
        if Shares(at_a_time, template.gpus, gpus()).parallel == at_a_time:
            yield False, at_a_time


@dataclass(frozen=True)
class _Trials:
    template: Template
    servers: TrialServers
    folder: Path

    def start(self, name: str, more: Sequence[str], shares: Shares) -> tuple[TrialProcess, Path]:
        """A trial's process, and its folder."""
        folder = self.folder / name
        folder.mkdir()
        assignments = self.template.baseline(folder)
        if assignments is None:
            raise ExperimentError("the base config's own values cannot be trained: every parameter must be a --set")
        command = self.template.command(name, assignments, folder)
        environment = {**os.environ, **command.environment, **shares.take(name)}
        return self.servers.start([*command.argv, *more], environment, command.folder, folder / "log"), folder


def _measure(trials: _Trials, bfloat16: bool, at_a_time: int) -> Speed:
    shares = Shares(at_a_time, trials.template.gpus, gpus())
    more = [f"--set={BFLOAT16}=true"] if bfloat16 else []
    started = [
        trials.start(f"{at_a_time}-{BFLOAT16 if bfloat16 else 'plain'}-{number}", more, shares)
        for number in range(at_a_time)
    ]
    codes = _codes([process for process, _ in started])
    for code, (_, folder) in zip(codes, started, strict=True):
        if code:
            return Speed(bfloat16, at_a_time, problem=last_words(folder / "log") or f"exit code {code}")
    written = [next(folder.rglob(METRICS_FILE), None) for _, folder in started]
    folders = [each.parent for each in written if each is not None]
    if len(folders) < at_a_time:
        return Speed(bfloat16, at_a_time, problem="its model_dir is none of the trial's own folders (an emptyDir)")
    records = [read_trial(each) for each in folders]
    diverged = next((each.diverged for each in records if each.diverged is not None), None)
    if diverged is not None:
        return Speed(bfloat16, at_a_time, problem=f"diverged: {diverged}")
    metrics = [read_rows(each)[-1].metrics for each in folders]
    rates = [each[STEPS_PER_SECOND] for each in metrics if STEPS_PER_SECOND in each]
    if len(rates) < at_a_time:
        return Speed(bfloat16, at_a_time, problem="it ended after too few steps to tell")
    return Speed(bfloat16, at_a_time, sum(rates), max(each.peak_memory_mib or 0 for each in records))


def _codes(processes: Sequence[TrialProcess]) -> list[int]:
    """How all have ended; every look also lets those begin that wait for it."""
    while True:
        codes = [process.poll() for process in processes]
        if None not in codes:
            return [code for code in codes if code is not None]
        time.sleep(_LOOK_SECONDS)
