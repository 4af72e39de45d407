"""What is shown of the best trial: its config against the base, its curves and pictures, how to repeat it."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from boxtune.errors import InputError
from boxtune.runs.trained_config import trained_config
from boxtune.runs.trial import Trial
from trial_entry.contract.records import (
    TrialRecord,
    read_trial,
)
from trial_entry.contract.requests import TrainRequest, parse
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.inputs import without_paths
from trial_entry.pipeline_config.protos import TrainEvalPipelineConfig
from trial_entry.pipeline_config.text import config_text, read_config


@dataclass(frozen=True)
class BestTrial:
    """The best trial's files, as far as they are there.

    Attributes:
        config: its pipeline.config.
        record: its trial.json.
        base: the base config that it was rendered from, or None.
    """

    config: Path
    record: TrialRecord
    base: Path | None

    @property
    def model_dir(self) -> Path:
        """Where its checkpoint lies."""
        return self.config.parent


def best_trial(trial: Trial) -> BestTrial | None:
    """The files of `trial`; None where it is no trial_entry trial, or its folder is gone.

    Raises:
        InputError: its record is damaged.
    """
    config = trained_config(trial)
    if config is None or not config.exists():
        return None
    try:
        record = read_trial(config.parent)
    except RequestError as wrong:
        raise InputError(str(wrong)) from None
    return BestTrial(config, record, _base_of(record))


def _base_of(record: TrialRecord) -> Path | None:
    """The base config, where the trial's arguments name one that is still here."""
    try:
        request = parse(shlex.split(record.arguments))
    except (RequestError, ValueError):
        return None
    path = request.pipeline_config_path if isinstance(request, TrainRequest) else None
    if isinstance(path, Path) and path.is_file():
        return path
    return None


@dataclass(frozen=True)
class ConfigDiff:
    """From the base config to the best trial's.

    Attributes:
        lines: of a unified diff, input paths left out.
        missing: why there are none; empty where nothing differs.
    """

    lines: Sequence[str] = ()
    missing: str = ""


def config_diff(best: BestTrial) -> ConfigDiff:
    """Between the files of this machine."""
    if best.base is None:
        return ConfigDiff(missing="the base config is not here")
    try:
        before, after = (read_config(path) for path in (best.base, best.config))
    except RequestError as wrong:
        return ConfigDiff(missing=str(wrong))
    return configs_diff(before, after)


def configs_diff(base: TrainEvalPipelineConfig, best: TrainEvalPipelineConfig) -> ConfigDiff:
    """Between these two."""
    before, after = (config_text(without_paths(config)).splitlines() for config in (base, best))
    return ConfigDiff(list(difflib.unified_diff(before, after, "base config", "best trial", lineterm="", n=4)))
