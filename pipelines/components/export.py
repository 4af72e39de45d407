"""The component of `pipelines.steps.export`."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Model, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def export(
    model: Input[Model],
    dataset: Input[Dataset],
    software: str,
    exported: Output[Model],
    metrics: Output[Metrics],
    data_digest: str = "",
    formats: list = [],
):
    """Export the model, each format compared with its checkpoint."""
    from pathlib import Path

    from pipelines.steps.ending import end
    from pipelines.steps.export import ExportAsked, export

    asked = ExportAsked(model.path, dataset.path, dataset.metadata, formats)
    end(export, asked, Path(exported.path), exported.metadata, metrics.metadata)
