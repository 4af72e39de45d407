"""From trialTemplate and assignments to what one trial runs on this machine."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from boxtune.errors import ExperimentError
from boxtune.experiment.baseline import baseline_assignments
from boxtune.experiment.editing import shortened
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.mounts import Volumes, map_paths
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_command import TrialCommand, fill
from boxtune.experiment.trial_config import trial_config
from boxtune.local.environment import ContainerEnvironment
from boxtune.local.shell_line import expand, wrap
from boxtune.problems import error
from trial_entry.contract.metrics import MAP, is_metric, less_is_better
from trial_entry.contract.requests import MAXIMIZE, MINIMIZE
from trial_entry.errors import RequestError

METRICS_FILE = "metrics.log"  # Katib's name of it
OUTPUT_FILE = "output.log"  # what Katib's shell line does not redirect into the other
_COLLECTORS = ("StdOut", "File")
_NAMESPACE = "default"  # of a cluster, where the Experiment names none
_OBJECTIVE = "--objective_"
_READ_BY_A_SHELL = re.compile(r"[\s'\"\\$`;&|<>()*?\[\]#~!{}]")


@dataclass(frozen=True)
class Command:
    """One trial's process.

    Attributes:
        argv: what is executed.
        environment: all of it.
        folder: the working folder.
        log: where standard output and error of the process go, merged.
        metrics: the file that the collector reads; the log itself for trial_entry's trials, whose line needs no shell.
        deadline: seconds after which the Job's activeDeadlineSeconds ends it, or None.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    metrics: Path
    deadline: float | None


class Template:
    """The trialTemplate of an Experiment, on this machine."""

    def __init__(self, experiment: Experiment, volumes: Mapping[str, Path], num_steps: int | None = None) -> None:
        """
        Args:
            volumes: the user's `--volume NAME=DIR`.
            num_steps: shorten every trial to this many steps, schedule included.

        Raises:
            ExperimentError: this machine cannot run the template.
        """
        self._experiment = experiment
        self._command = command = TrialCommand(experiment.template)
        if not command.container.command:
            what = "must be given; the image's own command is not known here"
            raise ExperimentError(error(f"{command.path}.command", what))
        if experiment.collector.kind not in _COLLECTORS:
            what = f"{experiment.collector.kind} is not built for local runs; {' and '.join(_COLLECTORS)} are"
            raise ExperimentError(error("spec.metricsCollectorSpec.collector.kind", what))
        self._environment = ContainerEnvironment(command, experiment.config_maps)
        self._volumes = Volumes(command, volumes, experiment.config_maps)
        try:
            self._trials = trial_config(experiment, volumes)
        except RequestError:
            self._trials = None  # each trial says what is wrong
        self._num_steps = num_steps
        if num_steps is not None and not self.is_own:
            raise ExperimentError("--num_steps: only trials of python -m trial_entry can be shortened")

    @property
    def is_own(self) -> bool:
        """Whether the trials are `python -m trial_entry [train]`."""
        return self._command.is_own

    @property
    def left_out(self) -> list[str]:
        """Containers of the pod that a local run does not have."""
        return self._command.left_out

    @property
    def gpus(self) -> int:
        """The container's GPU limit."""
        return self._command.gpus

    def sets(self) -> dict[str, str]:
        """Parameter name to the alias or field path that it sets, where it stands in a `--set` and nowhere else."""
        return self._command.sets()

    def baseline(self) -> Assignments | None:
        """The base config's own values, by parameter; None where there is no baseline."""
        return baseline_assignments(self._experiment, self._trials) if self._trials is not None else None

    def digest(self, assignments: Assignments) -> str | None:
        """Tells the config that `assignments` make from others; None where it cannot be told."""
        return self._trials.digest(assignments) if self._trials is not None else None

    def command(self, trial: str, assignments: Assignments, folder: Path) -> Command:
        """What trial `trial` runs; parameters without an assignment lose their `--set` (the baseline's case).

        Raises:
            ExperimentError: a variable of the environment comes from where this machine has nothing.
        """
        mounts = self._volumes.mounts(folder)
        namespace = self._experiment.namespace or _NAMESPACE
        values = self._command.values(trial, namespace, assignments)
        variables = {name: map_paths(value, mounts) for name, value in self._environment.of(trial, values).items()}
        arguments = [map_paths(fill(argument, values), mounts) for argument in self._command.kept(values)]
        if self._num_steps is not None:
            arguments = shortened(arguments, self._num_steps)
        arguments = [*arguments, *self._objective()]
        metrics = folder / METRICS_FILE
        if self._experiment.collector.kind == "File":
            place = PurePosixPath(self._experiment.collector.path)
            mounts.setdefault(place.parent, folder)  # Katib mounts an empty folder there
            metrics = Path(map_paths(str(place), mounts))
            arguments = [map_paths(argument, {place.parent: mounts[place.parent]}) for argument in arguments]
        working, deadline = self._command.container.working_dir, self._command.job.active_deadline_seconds
        return Command(
            tuple(self._argv(arguments, metrics, variables, mounts)),
            {**os.environ, **variables},
            Path(map_paths(working, mounts)) if working else Path.cwd(),
            metrics if self.is_own else folder / OUTPUT_FILE,
            metrics,
            float(deadline) if deadline is not None else None,
        )

    def _argv(
        self,
        arguments: list[str],
        metrics: Path,
        variables: Mapping[str, str],
        mounts: Mapping[PurePosixPath, Path],
    ) -> list[str]:
        if self.is_own:
            return [sys.executable, *(expand(argument, variables) for argument in arguments[1:])]
        unquoted = next((str(path) for path in mounts.values() if _READ_BY_A_SHELL.search(str(path))), None)
        if unquoted is not None:
            what = f"{unquoted}: the trials' command is a shell line, which reads this path as something else"
            raise ExperimentError(f"{what}; give --out (or --volume) a path without blanks, quotes, $ and the like")
        redirect = self._experiment.collector.kind == "StdOut"
        return [expand(text, variables) for text in wrap(arguments, PurePosixPath(metrics), redirect=redirect)]

    def _objective(self) -> list[str]:
        """What lets the trial keep the checkpoint that is best by the Experiment's objective, where it would not."""
        objective, given = self._experiment.objective, " ".join(self._command.arguments)
        if not self.is_own or not is_metric(objective.metric) or _OBJECTIVE in given:
            return []
        kind = MAXIMIZE if objective.maximize else MINIMIZE
        own = objective.maximize != less_is_better(objective.metric)  # the direction that goes without saying
        named = [f"{_OBJECTIVE}metric={objective.metric}"] if objective.metric != MAP else []
        return [*named, *([] if own else [f"{_OBJECTIVE}type={kind}"])]
