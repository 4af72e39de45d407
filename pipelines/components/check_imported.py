"""The component of `pipelines.steps.check_data` for records that a step before has made.

One of its own: KFP's executor cannot make an optional artifact (on a server, that is: there it has no type).
"""

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Metrics, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def check_imported(
    records: Input[Dataset],
    software: str,
    dataset: Output[Dataset],
    page: Output[HTML],
    metrics: Output[Metrics],
    experiment: str = "",
    data_digest: str = "",
    volume: str = "data",
    split: str = "test",
):
    """Look at Experiment and imported records together; ends the pipeline where something is wrong."""
    from pathlib import Path

    from pipelines.steps.check_data import DataAsked, check_data
    from pipelines.steps.ending import end
    from pipelines.steps.values import Values

    asked = DataAsked(experiment, "", records.path, "", data_digest, volume, split)
    end(
        check_data,
        asked,
        Path(page.path),
        Values(Path(dataset.path), dataset.metadata),
        Values(Path(metrics.path), metrics.metadata),
    )
