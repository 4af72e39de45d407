"""The component of `pipelines.steps.evaluate`."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Metrics, Model, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(
    model: Input[Model],
    dataset: Input[Dataset],
    software: str,
    measured: Output[Artifact],
    metrics: Output[Metrics],
    page: Output[HTML],
    data_digest: str = "",
    split: str = "test",
):
    """Measure the model on the test split, once, with intervals, curves and images."""
    from pathlib import Path

    from pipelines.steps.ending import end
    from pipelines.steps.evaluate import EvaluateAsked, evaluate

    asked = EvaluateAsked(model.path, dataset.path, dataset.metadata, split)
    end(evaluate, asked, Path(measured.path), Path(page.path), metrics.metadata)
