"""What the trials of an Experiment render: their base config, found wherever it is, and what assignments make of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.mounts import map_paths, mounted_text, mounts_here
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_command import TrialCommand
from trial_entry.contract.requests import TrainRequest, parse
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.aliases.alias import CountExamples
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.fragments import Fragments
from trial_entry.storage.paths import local_folders
from trial_entry.storage.urls import Remote

_PROGRAM = 3  # words of `python -m trial_entry`


@dataclass(frozen=True)
class TrialConfig:
    """The base config of an Experiment's trials, and their arguments.

    Attributes:
        command: what they run: `python -m trial_entry`.
        base: the config; None where it cannot be seen from here.
        path: the base config's in the trial, for messages.
        mounts: folder of this machine by mount path.
    """

    command: TrialCommand
    base: BaseConfig | None
    path: str
    mounts: Mapping[PurePosixPath, Path]

    def arguments(self, assignments: Assignments) -> TrainRequest:
        """What a trial with `assignments` is asked for, with this machine's paths where it has the volumes.

        Raises:
            RequestError: the trial would refuse its arguments.
        """
        return _request(self.command, self.mounts, assignments)

    def with_arguments(self, assignments: Assignments, count_examples: CountExamples | None = None) -> BaseConfig:
        """The base config, with the fragments and checkpoints that the trial's arguments name.

        Args:
            count_examples: counts the training examples where `epochs` is assigned; if left out, any number will do.

        Raises:
            RequestError: the trial would refuse its arguments.
        """
        assert self.base is not None  # whoever renders has looked
        given = self.arguments(assignments)
        base = replace(self.base, fragments=Fragments(local_folders(given.fragments)), checkpoints=given.checkpoints)
        return base if count_examples is None else replace(base, count_examples=count_examples)

    def problem(self, assignments: Assignments) -> RequestError | None:
        """What a trial would say of `assignments`; None if nothing."""
        try:
            return self.with_arguments(assignments).check(self.arguments(assignments).assignments)
        except RequestError as wrong:
            return wrong

    def digest(self, assignments: Assignments) -> str | None:
        """SHA-256 of the config that `assignments` make, without its input paths; None where they make none, or where a
        parameter stands elsewhere than in a `--set`, so that the config is not all that it changes.
        """
        if self.base is None or set(self.command.sets()) != _searched(self.command):
            return None
        try:
            base = self.with_arguments(assignments)
            return base.render(self.arguments(assignments).assignments, resolve=False).digest
        except RequestError:
            return None


def trial_config(experiment: Experiment, volumes: Mapping[str, Path], config: Path | None = None) -> TrialConfig | None:
    """The trials' config; None where they are not trial_entry's.

    Args:
        volumes: folder by the name of a volume or claim.
        config: the base config, where it is not in the Experiment's ConfigMaps.

    Raises:
        ExperimentError: the template has no such container, or a volume is not the pod's.
        RequestError: the trials would refuse their arguments, or the base config is none.
    """
    command = TrialCommand(experiment.template)
    if not command.is_own:
        return None
    mounts = mounts_here(command.pod, command.container, volumes)
    first = {spec.name: spec.ends[0] for spec in experiment.parameters}
    path = _request(command, mounts, first).pipeline_config_path
    return TrialConfig(command, _base(experiment, command, mounts, path, config), str(path), mounts)


def _base(
    experiment: Experiment,
    command: TrialCommand,
    mounts: Mapping[PurePosixPath, Path],
    path: Path | Remote,
    config: Path | None,
) -> BaseConfig | None:
    if config is not None:
        if not os.path.isfile(config):
            raise ExperimentError(f"--config {config}: no such file")
        return BaseConfig.read(config)
    if isinstance(path, Remote) or (mounts and path.is_file()):
        return BaseConfig.read(path)
    text = mounted_text(command, str(path), experiment.config_maps)
    return BaseConfig.parse(text, str(path)) if text is not None else None


def _request(command: TrialCommand, mounts: Mapping[PurePosixPath, Path], assignments: Assignments) -> TrainRequest:
    filled = [map_paths(text, mounts) for text in command.filled(assignments)]
    request = parse(filled[_PROGRAM:])
    if not isinstance(request, TrainRequest):
        raise RequestError(f"the trials run trial_entry's {request.command}; they must run train")
    return request


def _searched(command: TrialCommand) -> set[str]:
    """The parameters that trialParameters refer to; not what stands for the trial's own name and the like."""
    return {reference for reference in command.references.values() if not reference.startswith("${")}
