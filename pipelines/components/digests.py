"""The component of `pipelines.steps.digests`."""

from typing import NamedTuple

from kfp import dsl

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def digests(
    image: str,
    experiment: str = "",
    config: str = "",
    data: str = "",
    annotations: str = "",
    images: str = "",
    annotations_format: str = "",
    volume: str = "data",
    engine: str = "local",
    max_trials: int = 0,
    parallel: int = 0,
    num_steps: int = 0,
    trial_image: str = "",
    seeds: int = 1,
    formats: list = [],
    split: str = "test",
    publish_to: str = "",
    model_name: str = "detector",
) -> NamedTuple("Digests", [("experiment", str), ("config", str), ("data", str), ("sources", str), ("software", str)]):
    """Look at the parameters, check the Experiment, and digest what lies behind paths."""
    from pipelines.steps.digests import Asked, digests
    from pipelines.steps.ending import end
    from pipelines.steps.given import Changes

    changes = Changes(max_trials, parallel, num_steps, trial_image)
    asked = Asked(
        experiment, config, data, annotations, images, annotations_format, volume, engine, changes, seeds, formats,
        split, publish_to, model_name, image,
    )  # fmt: skip
    return end(digests, asked)
