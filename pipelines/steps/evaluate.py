"""The step that measures a model on the test split, once, with intervals: as `boxtune evaluate` does."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boxtune.delivery.measured_page import metric_lines, warnings, write_page
from boxtune.delivery.model import open_model
from boxtune.delivery.testing import EvaluateOptions, measure
from boxtune.report.text import number
from pipelines.steps.datasets import dataset_folder
from trial_entry.pipeline_config.inputs import TEST


@dataclass(frozen=True)
class EvaluateAsked:
    """What is to be measured.

    Attributes:
        model: the path of the model's artifact.
        dataset_path, dataset: of the Dataset artifact: path on this machine, metadata.
        split: TEST or validation.
        score_threshold: for precision, recall and pictures.
    """

    model: str
    dataset_path: str
    dataset: Mapping[str, object]
    split: str = TEST
    score_threshold: float = 0.5


def evaluate(asked: EvaluateAsked, out: Path, page: Path, measured: dict[str, float]) -> None:
    """Measure; `out` is then what `boxtune evaluate --out` leaves, `page` its page.

    Args:
        measured: takes every metric, and the ends of the intervals.

    Raises:
        InputError: there is no such split, or its images are trained on too.
        Interrupted: a signal came.
    """
    dataset_folder(asked.dataset_path, asked.dataset)  # the model's config names files in it
    model = open_model(asked.model)
    options = EvaluateOptions(split=asked.split, out=out, score_threshold=asked.score_threshold)
    found = measure(model, options, lambda line: print(line, flush=True))
    shutil.copyfile(write_page(model, found), page)
    for line in metric_lines(found.record):
        interval = "" if line.low is None else f" ({number(line.low)} to {number(line.high)})"
        print(f"{line.name} {number(line.value)}{interval}", flush=True)
        measured[line.name] = line.value
        if line.low is not None and line.high is not None:
            measured |= {f"{line.name}_low": line.low, f"{line.name}_high": line.high}
    for warning in warnings(found.record):
        print(f"note: {warning}", flush=True)
