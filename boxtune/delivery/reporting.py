"""The report page of a run, wherever it ran, with an evaluation of its best trial's checkpoint where that is here."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

from boxtune.delivery.evaluation import evaluated
from boxtune.delivery.rendering import rendered_config
from boxtune.errors import InputError
from boxtune.experiment.trial_config import TrialConfig, trial_config
from boxtune.report.best import BestTrial, ConfigDiff, best_trial, config_diff, configs_diff
from boxtune.report.details import Details
from boxtune.report.page import page_content, rendered_page
from boxtune.runs.run import Run
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.text import parse_config


def report_page(
    run: Run, pictures: int = 12, why_not_evaluate: str = "", volumes: Mapping[str, Path] = MappingProxyType({})
) -> str:
    """The page.

    Args:
        pictures: how many images of the best trial's detections.
        why_not_evaluate: a reason not to evaluate the best trial's checkpoint for curves, classes and pictures now,
            which the page gives; or empty.
        volumes: folder by the name of a volume or claim, for a run on a cluster whose configs depend on the data.

    Raises:
        InputError: the best trial's record is damaged.
    """
    best = best_trial(run.chosen) if run.chosen is not None else None
    trials = _own_trials(run) if best is None else None
    with ThreadPoolExecutor(1) as pool:  # another process evaluates, while this one draws
        pending = pool.submit(_details, run, best, trials, pictures, why_not_evaluate)
        diff = config_diff(best) if best is not None else _rendered_diff(run, trials, volumes)
        return rendered_page(page_content(run, best, diff), pending.result())


def _own_trials(run: Run) -> TrialConfig | None:
    """What trials of trial_entry render; None where they are others', or their config cannot be seen."""
    if run.experiment.template.job is None:
        return None
    try:
        return trial_config(run.experiment, {})
    except (InputError, RequestError):
        return None


def _rendered_diff(run: Run, trials: TrialConfig | None, volumes: Mapping[str, Path]) -> ConfigDiff:
    """From the base config to the best trial's, rendered again."""
    if run.chosen is None or trials is None or trials.base is None:
        return ConfigDiff()
    try:
        text = rendered_config(run, run.chosen, volumes)
        return configs_diff(trials.base.config, parse_config(text, run.chosen.name))
    except (InputError, RequestError) as wrong:
        return ConfigDiff(missing=str(wrong))


def _details(run: Run, best: BestTrial | None, trials: TrialConfig | None, pictures: int, why_not: str) -> Details:
    if best is not None:
        return evaluated(best, pictures, why_not)
    if run.optimal is None:
        return Details(missing="no trial has succeeded")
    if trials is None:
        return Details(missing="the trials are not trial_entry's")
    return Details(missing="the best trial's checkpoint is not on this machine")
