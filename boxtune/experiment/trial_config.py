"""What the trials of an Experiment render: their base config, found wherever it is, and what assignments make of it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from boxtune.errors import ExperimentError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.mounts import map_paths, mounted_text, mounts_here
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_command import TrialCommand
from trial_entry.contract.arguments import Assignment
from trial_entry.contract.requests import TrainRequest, parse
from trial_entry.errors import AssignmentError, RequestError
from trial_entry.pipeline_config.aliases import current_value
from trial_entry.pipeline_config.aliases.alias import CountExamples
from trial_entry.pipeline_config.base_config import BaseConfig
from trial_entry.pipeline_config.footprint import Footprint, footprint
from trial_entry.pipeline_config.fragments import Fragments
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.render import BLOCKS
from trial_entry.records.dataset import count_train_examples
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

    def steps(self, assignments: Assignments, count_examples: CountExamples, resolve: bool = True) -> int:
        """How many steps a trial with `assignments` trains.

        Args:
            resolve: as of `BaseConfig.render`.

        Raises:
            RequestError: it would refuse them, or its records cannot be counted.
        """
        given = self.arguments(assignments)
        config = self.with_arguments(assignments, count_examples).render(given.assignments, resolve).config
        whole = int(config.train_config.num_steps)
        return whole if given.num_train_steps is None else min(whole, given.num_train_steps)

    def footprint(self, assignments: Assignments) -> Footprint | None:
        """What the training of a trial with `assignments` takes of memory; None where its config is not the base's.

        Raises:
            RequestError: the trial would refuse its arguments.
        """
        given = self.arguments(assignments)
        if str(given.pipeline_config_path) != self.path:
            return None
        return footprint(self.with_arguments(assignments).assigned(given.assignments))

    def shared_model_dir(self, argv: Sequence[str]) -> Path | None:
        """The MODEL_DIR of a trial that is started by `argv` on this machine, where that lies below a root that others
        share; None where it has one of its own, or would refuse what it is asked for.
        """
        try:
            request = parse(argv[_PROGRAM:])
            if self.base is None or not isinstance(request, TrainRequest) or not isinstance(request.model_root, Path):
                return None
            fragments = Fragments(local_folders(request.fragments))
            base = self.base.given(fragments, request.checkpoints, count_train_examples)
            return Path(str(request.place(base.render(request.assignments).digest)))
        except RequestError:
            return None

    def problems(self, assignments: Assignments) -> tuple[list[RequestError], list[Assignment] | None]:
        """Everything that a trial would say of `assignments`, one after the other, and what is left of its `--set`s
        without those at fault; None where nothing can be said of the others while one is wrong.
        """
        found: list[RequestError] = []
        try:
            base, given = self.with_arguments(assignments), list(self.arguments(assignments).assignments)
        except RequestError as wrong:
            return [wrong], None
        while (wrong_one := base.check(given)) is not None:
            found.append(wrong_one)
            name = wrong_one.name if isinstance(wrong_one, AssignmentError) else ""
            if name in ("", *BLOCKS):  # others may set what the block would have brought
                return found, None
            given = [each for each in given if each.name != name]
        return found, given

    def written(self, assignments: Assignments, kept: Sequence[Assignment]) -> list[Assignment]:
        """Those of a trial's `--set`s that are `kept`, with the container's paths, as the Experiment has them."""
        names = {each.name for each in kept}
        return [each for each in _request(self.command, {}, assignments).assignments if each.name in names]

    def current(self, assignments: Assignments, names: Collection[str]) -> dict[str, str]:
        """What the config that `assignments` make has for aliases or field paths; those without a value are left out.

        Raises:
            RequestError: they make none.
        """
        config = self.with_arguments(assignments).render(self.arguments(assignments).assignments, resolve=False).config
        found: dict[str, str] = {}
        for name in names:
            with suppress(RequestError):  # no such field in this config
                value = current_value(config, name)
                found |= {name: value} if value is not None else {}
        return found

    def rendered(self, assignments: Assignments) -> TrainEvalPipelineConfig:
        """The config that a trial with `assignments` runs, its input paths those of this machine.

        Raises:
            RequestError: they make none, or a file that it names is not here.
        """
        base = self.with_arguments(assignments, count_train_examples)
        return base.render(self.arguments(assignments).assignments).config

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
