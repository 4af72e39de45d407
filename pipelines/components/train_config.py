"""The component of `pipelines.steps.train` for a config.

One of its own: KFP's executor cannot make an optional artifact (on a server, that is: there it has no type).
"""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Model, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_config(
    config: str,
    dataset: Input[Dataset],
    software: str,
    model: Output[Model],
    metrics: Output[Metrics],
    data_digest: str = "",
    seeds: int = 1,
    seed: int = -1,
    num_steps: int = 0,
):
    """Train a pipeline.config to its end: the model."""
    from pathlib import Path

    from pipelines.steps.ending import end
    from pipelines.steps.train import TrainAsked, train
    from pipelines.steps.values import Values

    asked = TrainAsked("", config, "", dataset.path, dataset.metadata, seeds, seed, num_steps)
    end(train, asked, Path(model.path), model.metadata, Values(Path(metrics.path), metrics.metadata))
