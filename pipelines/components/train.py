"""The component of `pipelines.steps.train` after a search."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Model, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train(
    run: Input[Artifact],
    dataset: Input[Dataset],
    software: str,
    model: Output[Model],
    metrics: Output[Metrics],
    data_digest: str = "",
    volume: str = "data",
    seeds: int = 1,
    seed: int = -1,
):
    """Train the best trial's config of a run to its end: the model."""
    from pathlib import Path

    from pipelines.steps.ending import end
    from pipelines.steps.train import TrainAsked, train
    from pipelines.steps.values import Values

    asked = TrainAsked(run.path, "", volume, dataset.path, dataset.metadata, seeds, seed)
    end(train, asked, Path(model.path), model.metadata, Values(Path(metrics.path), metrics.metadata))
