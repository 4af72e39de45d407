"""The component of `pipelines.steps.report`."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def report(run: Input[Artifact], dataset: Input[Dataset], software: str, page: Output[HTML], data_digest: str = ""):
    """Write the run as one page: every trial, which parameters matter, curves and detections of the best."""
    from pathlib import Path

    from pipelines.steps.ending import end
    from pipelines.steps.report import report

    end(report, run.path, dataset.path, dataset.metadata, Path(page.path))
