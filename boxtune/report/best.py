"""What is shown of the best trial: its config against the base, its curves and pictures, how to repeat it."""

from __future__ import annotations

import base64
import difflib
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from boxtune.errors import InputError
from boxtune.runs.trained_config import trained_config
from boxtune.runs.trial import Trial
from trial_entry.contract.files import CHECKPOINT_FILE, DETAILS_FOLDER, EVALUATION_FILE
from trial_entry.contract.records import (
    ClassRecord,
    PictureRecord,
    TrialRecord,
    read_details,
    read_evaluation,
    read_trial,
)
from trial_entry.contract.requests import PROGRAM, EvaluateRequest, TrainRequest, parse
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.inputs import without_paths
from trial_entry.pipeline_config.text import config_text, read_config

_EVALUATE_SECONDS = 3600.0


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


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        record: its size and boxes.
        source: the picture itself, for an `<img>`.
    """

    record: PictureRecord
    source: str


@dataclass(frozen=True)
class Details:
    """An evaluation of the best trial's checkpoint.

    Attributes:
        metrics: all of it, measured again.
        classes: a row a class, with its precision-recall curve.
        images: pictures with their boxes.
        num_images: how many were evaluated.
        score_threshold: below it a detection is not drawn.
        missing: why there is nothing of all this, or empty.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    classes: Sequence[ClassRecord] = ()
    images: Sequence[Picture] = ()
    num_images: int = 0
    score_threshold: float = 0.5
    missing: str = ""


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
    if isinstance(request, TrainRequest) and request.pipeline_config_path.is_file():
        return request.pipeline_config_path
    return None


def config_diff(best: BestTrial) -> list[str]:
    """Lines of a unified diff from the base config to the best one, input paths left out; empty if there is no base."""
    if best.base is None:
        return []
    try:
        before, after = (
            config_text(without_paths(read_config(path))).splitlines() for path in (best.base, best.config)
        )
    except RequestError:
        return []
    lines = difflib.unified_diff(before, after, "base config", "best trial", lineterm="", n=4)
    return list(lines)


def details_of(best: BestTrial, pictures: int, why_not: str) -> Details:
    """An evaluation of the best trial's checkpoint by `python -m trial_entry evaluate`, kept beside it for next time.

    Args:
        why_not: a reason not to evaluate now, or empty; what an earlier evaluation left is shown all the same.
    """
    folder = best.model_dir / DETAILS_FOLDER
    if not _evaluated(folder, pictures):
        if why_not:
            return Details(missing=why_not)
        if not (best.model_dir / CHECKPOINT_FILE).exists():
            return Details(missing="its checkpoint was not kept (boxtune run --keep)")
        print("evaluating the best trial's checkpoint for curves and pictures", file=sys.stderr, flush=True)
        request = EvaluateRequest(
            pipeline_config_path=best.config,
            model_dir=best.model_dir,
            output=folder / EVALUATION_FILE,
            details=folder,
            pictures=pictures,
        )
        done = subprocess.run(
            [*PROGRAM, *request.argv()],
            capture_output=True,
            text=True,
            timeout=_EVALUATE_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            return Details(missing=f"its checkpoint could not be evaluated: {said[-1] if said else done.returncode}")
    found = read_details(folder)
    assert found is not None  # written just now, or looked at before
    images = [Picture(image, _inline(folder / image.file)) for image in found.images]
    metrics = read_evaluation(folder).metrics
    return Details(metrics, found.classes, images, found.num_images, found.score_threshold)


def _evaluated(folder: Path, pictures: int) -> bool:
    found = read_details(folder)
    return found is not None and found.pictures == pictures


def _inline(file: Path) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(file.read_bytes()).decode()}"
