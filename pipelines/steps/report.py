"""The step that writes a run as one page, which KFP shows: as `boxtune report` does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from boxtune.delivery.reporting import report_page
from boxtune.local.reading import open_run
from pipelines.steps.datasets import dataset_folder


def report(run: str, dataset_path: str, dataset: Mapping[str, object], page: Path) -> None:
    """Write the page.

    Args:
        run: the path of the run's artifact.
        dataset_path, dataset: of the Dataset artifact: path on this machine, metadata.

    Raises:
        InputError: no run lies there, or its best trial's record is damaged.
    """
    dataset_folder(dataset_path, dataset)  # the best trial's config names files in it
    page.write_text(report_page(open_run(Path(run))), encoding="utf-8", errors="replace")
