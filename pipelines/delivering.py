"""The end that the pipelines share: a model measured, exported and published."""

from __future__ import annotations

from dataclasses import dataclass

from kfp.dsl import PipelineTask

from pipelines.components.evaluate import evaluate
from pipelines.components.export import export
from pipelines.components.publish import publish
from pipelines.placement import Placement, Scheduling, place, place_heavy


@dataclass(frozen=True)
class Delivery:
    """What is delivered, of the pipeline's parameters and of the steps before; each a channel.

    Attributes:
        model, dataset: artifacts.
        data_digest, software: what other cache keys follow.
        split, formats, publish_to, model_name: parameters.
    """

    model: object
    dataset: object
    data_digest: object
    software: object
    split: object
    formats: object
    publish_to: object
    model_name: object


@dataclass(frozen=True)
class Delivered:
    """The tasks."""

    evaluate: PipelineTask
    publish: PipelineTask


def deliver(given: Delivery, placement: Placement, scheduling: Scheduling) -> Delivered:
    """Measured on the split, exported, published."""
    measured = evaluate(
        model=given.model,
        dataset=given.dataset,
        software=given.software,
        data_digest=given.data_digest,
        split=given.split,
    )
    place_heavy(measured, placement, scheduling)
    exported = export(
        model=given.model,
        dataset=given.dataset,
        software=given.software,
        data_digest=given.data_digest,
        formats=given.formats,
    )
    place_heavy(exported, placement, scheduling)
    published = publish(
        model=given.model,
        exported=exported.outputs["exported"],
        measured=measured.outputs["measured"],
        publish_to=given.publish_to,
        model_name=given.model_name,
        split=given.split,
    )
    place(published, placement, cached=False)
    return Delivered(measured, published)
