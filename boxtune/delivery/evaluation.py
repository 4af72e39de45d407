"""An evaluation of a trial's checkpoint, kept beside it: curves, classes and pictures for the report."""

from __future__ import annotations

import sys

from boxtune.delivery.asking import ask
from boxtune.errors import BoxtuneError
from boxtune.report.best import BestTrial
from boxtune.report.details import Details, read_found
from trial_entry.contract.files import CHECKPOINT_FILE, DETAILS_FOLDER, EVALUATION_FILE
from trial_entry.contract.requests import EvaluateRequest


def evaluated(best: BestTrial, pictures: int, why_not: str) -> Details:
    """What `python -m trial_entry evaluate` says of the best trial's checkpoint; made once, and kept for next time.

    Args:
        pictures: how many images with their detections.
        why_not: a reason not to evaluate now, or empty; what an earlier evaluation left is taken all the same.
    """
    folder = best.model_dir / DETAILS_FOLDER
    found = read_found(folder, pictures)
    if found is not None:
        return found
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
    try:
        ask(request, lambda line: None)
    except BoxtuneError as wrong:
        return Details(missing=f"its checkpoint could not be evaluated: {wrong}")
    found = read_found(folder, pictures)
    assert found is not None  # the evaluation has ended well
    return found
