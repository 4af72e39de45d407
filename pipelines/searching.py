"""The middle that two pipelines share: a search, its report, and its best trial's config trained to the end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kfp import dsl
from kfp.dsl import PipelineTask

from pipelines.components.report import report
from pipelines.components.search import search
from pipelines.components.train import train
from pipelines.placement import Placement, Scheduling, place_heavy, place_search

WORKFLOW = "{{workflow.name}}"  # Argo fills it in where it is an argument


@dataclass(frozen=True)
class Search:
    """What is searched, of the pipeline's parameters and of the steps before; each a channel.

    Attributes:
        dataset: artifact.
        experiment, data_digest, software: of the steps before.
        engine, volume, namespace, cache_claim, journal, search_gpus, seeds: parameters.
    """

    dataset: object
    experiment: object
    data_digest: object
    software: object
    engine: object
    volume: object
    namespace: object
    cache_claim: object
    journal: object
    search_gpus: object
    seeds: object


@dataclass(frozen=True)
class Searched:
    """The tasks."""

    search: PipelineTask
    report: PipelineTask
    train: PipelineTask


def search_and_train(given: Search, placement: Placement, scheduling: Scheduling) -> Searched:
    """Searched, never from the cache; reported; the best trained."""
    searched = search(
        experiment=given.experiment,
        engine=given.engine,
        dataset=given.dataset,
        data_digest=given.data_digest,
        volume=given.volume,
        namespace=given.namespace,
        run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        workflow=WORKFLOW,
        cache_claim=given.cache_claim,
        journal=given.journal,
    )
    place_search(searched, placement, replace(scheduling, gpus=given.search_gpus))
    run = searched.outputs["run"]
    reported = report(run=run, dataset=given.dataset, software=given.software, data_digest=given.data_digest)
    place_heavy(reported, placement, scheduling)
    trained = train(
        run=run,
        dataset=given.dataset,
        software=given.software,
        data_digest=given.data_digest,
        volume=given.volume,
        seeds=given.seeds,
    )
    place_heavy(trained, placement, scheduling)
    return Searched(searched, reported, trained)
