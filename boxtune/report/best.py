"""What is shown of the best trial: its config against the base, its curves and pictures, how to repeat it."""

from __future__ import annotations

import base64
import difflib
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boxtune.runs.trained_config import trained_config
from boxtune.runs.trial import Trial
from trial_entry.errors import RequestError
from trial_entry.pipeline_config.inputs import without_paths
from trial_entry.pipeline_config.text import config_text, read_config

_BASE = "--pipeline_config_path="
_DETAILS, _DETAILS_FILE = "details", "details.json"
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
    record: dict[str, Any]
    base: Path | None

    @property
    def model_dir(self) -> Path:
        """Where its checkpoint lies."""
        return self.config.parent


@dataclass(frozen=True)
class Details:
    """An evaluation of the best trial's checkpoint.

    Attributes:
        metrics: all of it, measured again.
        classes: a row a class, with its precision-recall curve.
        images: pictures with their boxes; `source` is the picture itself, for an `<img>`.
        num_images: how many were evaluated.
        score_threshold: below it a detection is not drawn.
        missing: why there is nothing of all this, or empty.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    classes: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    num_images: int = 0
    score_threshold: float = 0.5
    missing: str = ""


def best_trial(trial: Trial) -> BestTrial | None:
    """The files of `trial`; None where it is no trial_entry trial, or its folder is gone."""
    config = trained_config(trial)
    if config is None or not config.exists():
        return None
    record = json.loads((config.parent / "trial.json").read_text(encoding="utf-8"))
    named = [each for each in shlex.split(record.get("arguments", "")) if each.startswith(_BASE)]
    base = Path(named[-1].removeprefix(_BASE)) if named else None
    return BestTrial(config, record, base if base is not None and base.is_file() else None)


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
    folder = best.model_dir / _DETAILS
    if not _evaluated(folder, pictures):
        if why_not:
            return Details(missing=why_not)
        if not (best.model_dir / "checkpoint").exists():
            return Details(missing="its checkpoint was not kept (boxtune run --keep)")
        print("evaluating the best trial's checkpoint for curves and pictures", file=sys.stderr, flush=True)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "trial_entry", "evaluate"),
                f"--pipeline_config_path={best.config}",
                f"--model_dir={best.model_dir}",
                f"--output={folder / 'evaluation.json'}",
                f"--details={folder}",
                f"--pictures={pictures}",
            ],
            capture_output=True,
            text=True,
            timeout=_EVALUATE_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            return Details(missing=f"its checkpoint could not be evaluated: {said[-1] if said else done.returncode}")
    found = json.loads((folder / _DETAILS_FILE).read_text(encoding="utf-8"))
    metrics = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["metrics"]
    images = [{**image, "source": _inline(folder / image["file"])} for image in found["images"]]
    return Details(metrics, found["classes"], images, found["num_images"], found["score_threshold"])


def _evaluated(folder: Path, pictures: int) -> bool:
    file = folder / _DETAILS_FILE
    return file.exists() and json.loads(file.read_text(encoding="utf-8"))["pictures"] == pictures


def _inline(file: Path) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(file.read_bytes()).decode()}"
