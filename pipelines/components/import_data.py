"""The component of `pipelines.steps.import_data`."""

from kfp import dsl
from kfp.dsl import Dataset, Metrics, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def import_data(
    annotations: str,
    images: str,
    sources_digest: str,
    software: str,
    config: str,
    experiment: str,
    dataset: Output[Dataset],
    metrics: Output[Metrics],
    format: str = "",
    split: str = "",
    group: str = "auto",
    tile: int = 0,
    seed: int = 0,
    max_trials: int = 0,
    parallel: int = 0,
    num_steps: int = 0,
    trial_image: str = "",
) -> str:
    """Make records of annotated images; gives the Experiment that is searched on them."""
    from pathlib import Path

    from pipelines.steps.ending import end
    from pipelines.steps.given import Changes
    from pipelines.steps.import_data import ImportAsked, import_data

    changes = Changes(max_trials, parallel, num_steps, trial_image)
    asked = ImportAsked(annotations, images, config, experiment, format, split, group, tile, seed, changes)
    return end(import_data, asked, Path(dataset.path), dataset.metadata, metrics.metadata)
