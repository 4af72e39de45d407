"""The component of `pipelines.steps.check_data`."""

from kfp import dsl
from kfp.dsl import HTML, Dataset, Metrics, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def check_data(
    software: str,
    dataset: Output[Dataset],
    page: Output[HTML],
    metrics: Output[Metrics],
    experiment: str = "",
    config: str = "",
    data: str = "",
    data_digest: str = "",
    volume: str = "data",
    split: str = "test",
):
    """Look at Experiment (or config) and records together; ends the pipeline where something is wrong."""
    from pathlib import Path

    from pipelines.steps.check_data import DataAsked, check_data
    from pipelines.steps.ending import end
    from pipelines.steps.values import Values

    asked = DataAsked(experiment, config, "", data, data_digest, volume, split)
    end(
        check_data,
        asked,
        Path(page.path),
        Values(Path(dataset.path), dataset.metadata),
        Values(Path(metrics.path), metrics.metadata),
    )
