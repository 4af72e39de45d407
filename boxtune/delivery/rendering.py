"""The config that a trial ran, rendered again from its assignments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from boxtune.errors import ExperimentError, InputError
from boxtune.experiment.trial_config import trial_config
from boxtune.runs.run import Run
from boxtune.runs.trial import Trial
from trial_entry.errors import DataError, RequestError
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.records.dataset import count_train_examples


def rendered_config(run: Run, trial: Trial, volumes: Mapping[str, Path]) -> str:
    """The pipeline.config of `trial`, in text format; input paths are the pod's, or this machine's where they can be.

    Args:
        volumes: folder by the name of a volume or claim.

    Raises:
        ExperimentError: the trials are not trial_entry's, or their base config is not in a ConfigMap.
        InputError: `epochs` is assigned and the training records are not here to be counted.
    """
    try:
        trials = trial_config(run.experiment, volumes)
        if trials is None or trials.base is None:
            raise ExperimentError(
                f"{run.experiment.name}: the config can be rendered only of trials of python -m trial_entry whose base "
                "config is in a ConfigMap"
            )
        base = trials.with_arguments(trial.assignments, _count)
        return base.render(trials.arguments(trial.assignments).assignments, resolve=False).text
    except RequestError as problem:
        raise InputError(f"{trial.name}: {problem}") from None


def _count(config: TrainEvalPipelineConfig) -> int:
    try:
        return count_train_examples(config)
    except DataError as problem:
        raise DataError(
            f"epochs: the number of steps depends on the training examples; say where their volume lies: "
            f"--volume NAME=DIR ({problem})"
        ) from None
