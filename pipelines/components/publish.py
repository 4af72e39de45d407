"""The component of `pipelines.steps.publish`."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Model, Output

from pipelines.components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def publish(
    model: Input[Model],
    exported: Input[Model],
    measured: Input[Artifact],
    published: Output[Model],
    publish_to: str = "",
    model_name: str = "detector",
    split: str = "test",
) -> str:
    """Publish the model as a version, whole or not there; gives the place."""
    from pathlib import Path

    from pipelines.steps.ending import end
    from pipelines.steps.publish import PublishAsked, publish

    asked = PublishAsked(model.path, exported.path, measured.path, split, publish_to, model_name)
    return end(publish, asked, Path(published.path), published.uri, published.metadata)
