"""The report page of a run, with an evaluation of its best trial's checkpoint made for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from boxtune.delivery.evaluation import evaluated
from boxtune.report.best import BestTrial, best_trial
from boxtune.report.details import Details
from boxtune.report.page import page_content, rendered_page
from boxtune.runs.run import Run


def report_page(run: Run, pictures: int = 12, why_not_evaluate: str = "") -> str:
    """The page.

    Args:
        pictures: how many images of the best trial's detections.
        why_not_evaluate: a reason not to evaluate the best trial's checkpoint for curves, classes and pictures now,
            which the page gives; or empty.

    Raises:
        InputError: the best trial's record is damaged.
    """
    best = best_trial(run.optimal) if run.optimal is not None else None
    with ThreadPoolExecutor(1) as pool:  # another process evaluates, while this one draws
        pending = pool.submit(_details, run, best, pictures, why_not_evaluate)
        content = page_content(run, best)
        return rendered_page(content, pending.result())


def _details(run: Run, best: BestTrial | None, pictures: int, why_not: str) -> Details:
    if best is not None:
        return evaluated(best, pictures, why_not)
    return Details(missing="the trials are not trial_entry's" if run.optimal else "no trial has succeeded")
