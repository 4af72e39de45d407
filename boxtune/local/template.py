"""From trialTemplate and assignments to what one trial runs on this machine."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from boxtune.errors import ExperimentError
from boxtune.execution.jobs import Job
from boxtune.experiment.baseline import baseline_assignments
from boxtune.experiment.editing import seeded, shortened, stopping_at, takes_seed
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.footprints import footprints_of
from boxtune.experiment.mounts import Volumes, map_paths
from boxtune.experiment.schedule import schedule_of
from boxtune.experiment.shell_line import LONGEST_ARGUMENT, expand, wrap
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_command import TrialCommand, fill
from boxtune.experiment.trial_config import trial_config
from boxtune.local.environment import DEFAULT_NAMESPACE, ContainerEnvironment
from boxtune.problems import Problem, error
from boxtune.runs.trained_config import MODEL_DIR_LINK
from trial_entry.contract.metrics import MAP, is_metric, less_is_better
from trial_entry.contract.requests import MAXIMIZE, MINIMIZE
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig

METRICS_FILE = "metrics.log"  # Katib's name of it
OUTPUT_FILE = "output.log"  # what Katib's shell line does not redirect into the other
_COLLECTORS = ("StdOut", "File")
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
        shared: its MODEL_DIR where that lies below a root that trials share, on this machine; else None.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    metrics: Path
    deadline: float | None
    shared: Path | None = None

    def job(self, name: str) -> Job:
        """It as the executor takes it, for the trial of this name."""
        return Job(name, self.argv, self.environment, self.folder, self.log, self.deadline)


def link_model_dir(folder: Path, shared: Path | None) -> None:
    """Let a trial's folder say where its MODEL_DIR lies, where that is not in it."""
    if shared is not None:
        link = folder / MODEL_DIR_LINK
        link.unlink(missing_ok=True)
        link.symlink_to(shared)


class Template:
    """The trialTemplate of an Experiment, on this machine.

    Attributes:
        schedule: tells how many steps the whole training of assignments has; None where that cannot be told.
        num_steps: what every trial is shortened to, or None.
        volumes: the user's folders by the name of a volume or claim.
        footprint: tells what it takes of memory; None likewise.
    """

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
        self._environment = ContainerEnvironment(experiment, command)
        self._volumes = Volumes(command, volumes, experiment.config_maps)
        self._refuse_what_never_starts()
        try:
            self._trials = trial_config(experiment, volumes)
        except RequestError:
            self._trials = None  # each trial says what is wrong
        self.num_steps = num_steps
        self.volumes = dict(volumes)
        self.schedule = schedule_of(self._trials, num_steps)
        self.footprint = footprints_of(self._trials)
        if num_steps is not None and not self.is_own:
            raise ExperimentError("--num_steps: only trials of python -m trial_entry can be shortened")

    def _refuse_what_never_starts(self) -> None:
        """What would keep every trial from starting, before one is made.

        Raises:
            ExperimentError: a variable has no value here, there is no workingDir, or the command is too long.
        """
        command = self._command
        first = {spec.name: spec.ends[0] for spec in self._experiment.parameters}
        values = command.values(self._experiment.name, self._namespace, first)
        self._environment.of(self._experiment.name, values)
        folder = command.container.working_dir
        if folder and not self._volumes.holds(folder) and not Path(folder).is_dir():
            raise ExperimentError(self._no_folder(folder, folder))
        longest = max(len(os.fsencode(fill(text, values))) for text in command.arguments)
        line = sum(len(os.fsencode(fill(text, values))) + 1 for text in command.arguments)
        if (longest if self.is_own else line) > LONGEST_ARGUMENT:
            what = f"the trial's command has {line} bytes, and Linux takes {LONGEST_ARGUMENT} in one argument"
            right = "put it in a file or a ConfigMap"
            raise ExperimentError(error(f"{command.path}.args", f"{what} (argument list too long)", right))

    def _no_folder(self, named: str, here: str) -> Problem:
        what = f"there is no folder {named} on this machine" + (f" ({here})" if here != named else "")
        return error(
            f"{self._command.path}.workingDir",
            what,
            "make it, leave workingDir out, or mount a volume there and give its folder with --volume",
        )

    @property
    def _namespace(self) -> str:
        return self._experiment.namespace or DEFAULT_NAMESPACE

    @property
    def is_own(self) -> bool:
        """Whether the trials are `python -m trial_entry [train]`."""
        return self._command.is_own

    @property
    def takes_seed(self) -> bool:
        """Whether the command can be given a seed."""
        return takes_seed(self._command)

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

    def rendered(self, assignments: Assignments) -> TrainEvalPipelineConfig:
        """The config that `assignments` make, its input paths those of this machine.

        Raises:
            RequestError: they make none, or it cannot be seen, or a file that it names is not here.
        """
        if self._trials is None or self._trials.base is None:
            raise RequestError("the trials' config cannot be seen from here")
        return self._trials.rendered(assignments)

    def digest(self, assignments: Assignments) -> str | None:
        """Tells the config that `assignments` make from others; None where it cannot be told."""
        return self._trials.digest(assignments) if self._trials is not None else None

    def command(
        self,
        trial: str,
        assignments: Assignments,
        folder: Path,
        steps: int | None = None,
        seed: int | None = None,
    ) -> Command:
        """What trial `trial` runs; parameters without an assignment lose their `--set` (the baseline's case).

        Args:
            steps: where it ends under its schedule; None for where its arguments say.
            seed: instead of the one that its arguments say; None for that one.

        Raises:
            ExperimentError: a variable of the environment comes from where this machine has nothing, or there is no
                folder to work in.
        """
        mounts = self._volumes.mounts(folder)
        values = self._command.values(trial, self._namespace, assignments)
        variables = {name: map_paths(value, mounts) for name, value in self._environment.of(trial, values).items()}
        arguments = [map_paths(fill(argument, values), mounts) for argument in self._command.kept(values)]
        if self.num_steps is not None:
            arguments = shortened(arguments, self.num_steps)
        if seed is not None:
            arguments = seeded(arguments, seed, self.is_own)
        if steps is not None:
            arguments = stopping_at(arguments, steps)
        arguments = [*arguments, *self._objective()]
        metrics = folder / METRICS_FILE
        if self._experiment.collector.kind == "File":
            place = PurePosixPath(self._experiment.collector.path)
            mounts.setdefault(place.parent, folder)  # Katib mounts an empty folder there
            metrics = Path(map_paths(str(place), mounts))
            arguments = [map_paths(argument, {place.parent: mounts[place.parent]}) for argument in arguments]
        working, deadline = self._command.container.working_dir, self._command.job.active_deadline_seconds
        inside = Path(map_paths(working, mounts)) if working else Path.cwd()
        if not inside.is_dir():
            raise ExperimentError(self._no_folder(working or str(inside), str(inside)))
        argv = tuple(self._argv(arguments, metrics, variables, mounts))
        return Command(
            argv,
            {**os.environ, **variables},
            inside,
            metrics if self.is_own else folder / OUTPUT_FILE,
            metrics,
            float(deadline) if deadline is not None else None,
            self._trials.shared_model_dir(argv) if self._trials is not None else None,
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
