"""The config that a trial ran, rendered again from its assignments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from boxtune.errors import ExperimentError, InputError
from boxtune.experiment.mounts import map_paths, mounted_text, mounts_here
from boxtune.experiment.trial_command import TrialCommand
from boxtune.runs.model import Run, Trial
from trial_entry.arguments import parse_arguments, surroundings_of
from trial_entry.errors import DataError, RequestError
from trial_entry.pipeline_config.checks import check_config
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.render import assign
from trial_entry.pipeline_config.text import config_text, parse_config
from trial_entry.records.dataset import count_train_examples


def rendered_config(run: Run, trial: Trial, volumes: Mapping[str, Path]) -> str:
    """The pipeline.config of `trial`, in text format; input paths are the pod's, or this machine's where they can be.

    Args:
        volumes: folder by the name of a volume or claim.

    Raises:
        ExperimentError: the trials are not trial_entry's, or their base config is not in a ConfigMap.
        InputError: `epochs` is assigned and the training records are not here to be counted.
    """
    command = TrialCommand(run.experiment.template)
    path = command.base_config
    text = None if path is None else mounted_text(command, path, run.experiment.config_maps)
    if not command.is_own or path is None or text is None:
        raise ExperimentError(
            f"{run.experiment.name}: the config can be rendered only of trials of python -m trial_entry whose base "
            "config is in a ConfigMap"
        )
    mounts = mounts_here(command.pod, command.container, volumes)
    filled = [map_paths(argument, mounts) for argument in command.filled(trial.assignments)]
    try:
        parsed = parse_arguments(filled[3:])
        config = parse_config(text, path)
        assign(config, parsed.assignments, surroundings_of(parsed, _count))
        check_config(config, path)
    except RequestError as problem:
        raise InputError(f"{trial.name}: {problem}") from None
    return config_text(config)


def _count(config: TrainEvalPipelineConfig) -> int:
    try:
        return count_train_examples(config)
    except DataError as problem:
        raise DataError(
            f"epochs: the number of steps depends on the training examples; say where their volume lies: "
            f"--volume NAME=DIR ({problem})"
        ) from None
