"""The component of `pipelines.steps.train`."""

from typing import Optional

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Model, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train(
    dataset: Input[Dataset],
    software: str,
    model: Output[Model],
    metrics: Output[Metrics],
    run: Optional[Input[Artifact]] = None,
    config: str = "",
    data_digest: str = "",
    volume: str = "data",
    seeds: int = 1,
    seed: int = -1,
    num_steps: int = 0,
):
    """Train the best trial's config of a run, or a config, to its end: the model."""
    from pathlib import Path

    from pipelines.steps.ending import end
    from pipelines.steps.train import TrainAsked, train

    path = "" if run is None else run.path
    asked = TrainAsked(path, config, volume, dataset.path, dataset.metadata, seeds, seed, num_steps)
    end(train, asked, Path(model.path), model.metadata, metrics.metadata)
