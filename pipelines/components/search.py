"""The component of `pipelines.steps.search`."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def search(
    experiment: str,
    engine: str,
    dataset: Input[Dataset],
    run: Output[Artifact],
    metrics: Output[Metrics],
    data_digest: str = "",
    volume: str = "data",
    namespace: str = "",
    run_id: str = "",
    workflow: str = "",
    cache_claim: str = "",
    journal: str = "",
):
    """Search, by Katib or within this step; gives the run."""
    from pathlib import Path

    from pipelines.steps.ending import end
    from pipelines.steps.search import SearchAsked, search
    from pipelines.steps.values import Values

    asked = SearchAsked(
        experiment, engine, volume, dataset.path, dataset.uri, dataset.metadata, namespace, run_id, workflow,
        cache_claim, journal, data_digest,
    )  # fmt: skip
    end(search, asked, Path(run.path), run.uri, run.metadata, Values(Path(metrics.path), metrics.metadata))
