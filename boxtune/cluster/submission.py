"""Submitting an Experiment: what it needs is looked up first, then everything is created, or tried by a dry run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from boxtune.cluster.baseline import baseline_job
from boxtune.cluster.claims import mounted_claims, why_unbound
from boxtune.cluster.config_maps import MADE, config_map_names
from boxtune.cluster.connection import GROUP, VERSION, Cluster, optional, speaking_plainly
from boxtune.cluster.fitting import misfit
from boxtune.errors import ClusterError
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.job import KIND as JOB_KIND
from boxtune.experiment.source import Json, JsonObject

_INJECTION = "katib.kubeflow.org/metrics-collector-injection"
_DRY = {"dry_run": "All"}
_MADE_FOR = "v0.19"
_VERSION = re.compile(r":v?(\d+)\.(\d+)")


@dataclass(frozen=True)
class Belonging:
    """What a pipeline's run has to do with what its step submits.

    Attributes:
        owner: an ownerReference of the Experiment and the Job, which go when it goes; None for none.
        time_to_live: seconds after which the baseline's Job goes by itself once it has ended, however that was.
    """

    owner: JsonObject | None = None
    time_to_live: int = 7 * 24 * 3600

    def put_on(self, raw: JsonObject) -> JsonObject:
        """An object, belonging so."""
        owned = {"ownerReferences": [self.owner]} if self.owner is not None else {}
        lives = {"ttlSecondsAfterFinished": self.time_to_live} if raw["kind"] == JOB_KIND else {}
        return {**raw, "metadata": {**raw["metadata"], **owned}, "spec": {**raw["spec"], **lives}}


def submit(
    cluster: Cluster, experiment: Experiment, baseline: bool, dry_run: bool, belonging: Belonging | None = None
) -> list[str]:
    """Create the Experiment, its ConfigMaps and, if wanted, the baseline's Job; what is there already, equal, stays.

    Args:
        dry_run: the server goes through all of it, admission included, and keeps nothing.
        belonging: to a pipeline's run; None where it belongs to nobody.

    Returns:
        What was done, a line each.

    Raises:
        ClusterError: something is missing, refused, or there under the same name and different.
        ExperimentError: there is no baseline.
    """
    named = {**experiment.raw["metadata"], "namespace": cluster.namespace}
    raw: JsonObject = {**experiment.raw, "metadata": named}
    job = baseline_job(experiment, cluster.namespace) if baseline else None
    if belonging is not None:
        raw, job = belonging.put_on(raw), belonging.put_on(job) if job is not None else None
    _check_namespace(cluster)
    _check_claims(cluster, experiment)
    options = _DRY if dry_run else {}
    if job is not None:  # which would be left alone where the Experiment is refused
        _experiment(cluster, raw, _DRY)
    lines = [_config_map(cluster, name, data, options) for name, data in _mounted_config_maps(experiment)]
    if job is not None:
        lines.append(_job(cluster, job, options))
    lines.append(_experiment(cluster, raw, options))
    return lines


def warnings(cluster: Cluster, experiment: Experiment) -> Iterator[str]:
    """What may keep the trials from running; what this user may not look up is left out."""
    version = _katib_version(cluster)
    if version is not None and not version.startswith(_MADE_FOR):
        yield f"Katib {version} runs here; Boxtune is made for {_MADE_FOR}, and others were not tried"
    job = experiment.template.job
    unfit = misfit(cluster, job.pod) if job is not None else ""
    if unfit:
        yield f"{unfit}: they wait, unless the cluster adds such a node by itself; lower resources.requests, or add one"
    for volume, claim in mounted_claims(experiment.template).items():
        why = _why_unbound(cluster, claim)
        if why:
            yield f"volume {volume}: {why}; until then the trials wait"


def _check_namespace(cluster: Cluster) -> None:
    with speaking_plainly(cluster):
        found = optional(lambda: cluster.core.read_namespace(cluster.namespace))
    if found is None:
        raise ClusterError(
            f"the namespace {cluster.namespace} does not exist; kubectl apply -k manifests/base makes one"
        )
    if (found.metadata.labels or {}).get(_INJECTION) != "enabled":
        raise ClusterError(
            f"the namespace {cluster.namespace} lacks the label {_INJECTION}: enabled, without which no metric is ever "
            f"collected; add it: kubectl label namespace {cluster.namespace} {_INJECTION}=enabled"
        )


def _check_claims(cluster: Cluster, experiment: Experiment) -> None:
    for volume, claim in mounted_claims(experiment.template).items():
        with speaking_plainly(cluster):
            found = optional(partial(cluster.core.read_namespaced_persistent_volume_claim, claim, cluster.namespace))
        if found is None:
            raise ClusterError(
                f"volume {volume}: the namespace {cluster.namespace} has no PersistentVolumeClaim {claim}; "
                "make it (manifests/base has those of Boxtune's Experiments)"
            )


def _why_unbound(cluster: Cluster, claim: str) -> str:
    try:
        return why_unbound(cluster, claim)
    except ClusterError:
        return ""


def _mounted_config_maps(experiment: Experiment) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Those of the file that the pods mount."""
    names = config_map_names(experiment.raw)
    return ((name, data) for name, data in experiment.config_maps.items() if name in names)


def _config_map(cluster: Cluster, name: str, data: Mapping[str, str], options: Mapping[str, str]) -> str:
    with speaking_plainly(cluster):
        there = optional(lambda: cluster.core.read_namespaced_config_map(name, cluster.namespace))
        if there is None:
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": MADE}, "data": data}
            cluster.core.create_namespaced_config_map(cluster.namespace, body, **options)
            return f"configmap/{name} created"
    if (there.data or {}) != data:
        raise ClusterError(
            f"a ConfigMap {name} with other contents is there already; give this one another name (kustomize's "
            "configMapGenerator does so by itself)"
        )
    return f"configmap/{name} is there already"


def _experiment(cluster: Cluster, raw: JsonObject, options: Mapping[str, str]) -> str:
    name = raw["metadata"]["name"]
    there = cluster.experiment(name)
    if there is None:
        with speaking_plainly(cluster):
            cluster.custom.create_namespaced_custom_object(
                GROUP, VERSION, cluster.namespace, "experiments", raw, **options
            )
        return f"experiment/{name} created"
    if not _within(raw["spec"], there["spec"]):
        raise ClusterError(
            f"another Experiment {name} is in the namespace {cluster.namespace}; choose another name, or remove that "
            f"one and its trials: boxtune cancel {name}"
        )
    return f"experiment/{name} is there already, the same"


def _within(given: Json, there: Json) -> bool:
    """Whether everything that was given is there; Katib adds its defaults."""
    if isinstance(given, Mapping):
        return isinstance(there, Mapping) and all(_within(value, there.get(key)) for key, value in given.items())
    if isinstance(given, list):
        return isinstance(there, list) and len(given) == len(there) and all(map(_within, given, there))
    return bool(given == there)


def _job(cluster: Cluster, job: JsonObject, options: Mapping[str, str]) -> str:
    name = job["metadata"]["name"]
    with speaking_plainly(cluster):
        if optional(lambda: cluster.batch.read_namespaced_job(name, cluster.namespace)) is not None:
            return f"job/{name} is there already"
        cluster.batch.create_namespaced_job(cluster.namespace, job, **options)
    return f"job/{name} created"


def _katib_version(cluster: Cluster) -> str | None:
    """Of the controller, by its image's tag; None where it cannot be seen."""
    from kubernetes import client

    try:
        with speaking_plainly(cluster):
            found = client.AppsV1Api(cluster.core.api_client).list_deployment_for_all_namespaces(
                label_selector="katib.kubeflow.org/component=controller"
            )
    except ClusterError:
        return None
    images = [each.image for item in found.items for each in item.spec.template.spec.containers]
    tags = [image.rpartition(":")[2] for image in images if _VERSION.search(image)]
    return tags[0] if tags else None
