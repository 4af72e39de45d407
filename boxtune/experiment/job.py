"""The Job that a trialTemplate describes: `batch/v1`, as far as a trial has to do with it.

Kubernetes' pod comes from Katib's models, which have no Job; its fields are those of `k8s.io/api/batch/v1`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kubeflow_katib_api.models import (
    IoK8sApiCoreV1Container,
    IoK8sApiCoreV1PodSpec,
    IoK8sApiCoreV1PodTemplateSpec,
    IoK8sApimachineryPkgApisMetaV1ObjectMeta,
)
from pydantic import BaseModel, Field, StrictBool, StrictInt, StrictStr

from boxtune.experiment.quantities import GPU_LIMIT
from boxtune.experiment.shape import read_model, shape_problems
from boxtune.experiment.source import JsonObject
from boxtune.problems import REFUSED, Problem

Container = IoK8sApiCoreV1Container
PodSpec = IoK8sApiCoreV1PodSpec
ObjectMeta = IoK8sApimachineryPkgApisMetaV1ObjectMeta

KIND, API_VERSION = "Job", "batch/v1"


class _JobSpec(BaseModel):
    """A Job's `spec`."""

    active_deadline_seconds: StrictInt | None = Field(None, alias="activeDeadlineSeconds", ge=0, lt=2**31)
    backoff_limit: StrictInt | None = Field(None, alias="backoffLimit")
    backoff_limit_per_index: StrictInt | None = Field(None, alias="backoffLimitPerIndex")
    completion_mode: StrictStr | None = Field(None, alias="completionMode")
    completions: StrictInt | None = None
    managed_by: StrictStr | None = Field(None, alias="managedBy")
    manual_selector: StrictBool | None = Field(None, alias="manualSelector")
    max_failed_indexes: StrictInt | None = Field(None, alias="maxFailedIndexes")
    parallelism: StrictInt | None = None
    pod_failure_policy: dict[str, object] | None = Field(None, alias="podFailurePolicy")
    pod_replacement_policy: StrictStr | None = Field(None, alias="podReplacementPolicy")
    selector: dict[str, object] | None = None
    success_policy: dict[str, object] | None = Field(None, alias="successPolicy")
    suspend: StrictBool | None = None
    template: IoK8sApiCoreV1PodTemplateSpec | None = None
    ttl_seconds_after_finished: StrictInt | None = Field(None, alias="ttlSecondsAfterFinished")


class _Job(BaseModel):
    """A whole Job; its status is the cluster's."""

    api_version: StrictStr | None = Field(None, alias="apiVersion")
    kind: StrictStr | None = None
    metadata: ObjectMeta | None = None
    spec: _JobSpec | None = None
    status: dict[str, object] | None = None


@dataclass(frozen=True)
class Job:
    """A trial's Job.

    Attributes:
        labels, annotations: of the Job itself.
        backoff_limit: how often a failed trial is repeated; None where it is left out.
        active_deadline_seconds: after which it is ended; None where it is left out.
        pod: what its pod is.
        pod_labels, pod_annotations: of the pod.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    backoff_limit: int | None
    active_deadline_seconds: int | None
    pod: PodSpec
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    pod_annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, raw: JsonObject) -> Job:
        """The Job that `raw` is; `job_problems` has found nothing in it."""
        spec = raw.get("spec") or {}
        numbers = _JobSpec.model_validate({**spec, "template": None})
        template = read_model(IoK8sApiCoreV1PodTemplateSpec, spec.get("template") or {})
        own, pods = read_model(ObjectMeta, raw.get("metadata") or {}), template.metadata or ObjectMeta()
        return cls(
            own.labels or {},
            own.annotations or {},
            numbers.backoff_limit,
            numbers.active_deadline_seconds,
            template.spec or PodSpec(containers=[]),
            pods.labels or {},
            pods.annotations or {},
        )

    def container(self, name: str) -> Container | None:
        """The container of this name; None where the pod has none."""
        return next((each for each in self.pod.containers if each.name == name), None)


def is_job(raw: JsonObject) -> bool:
    """Whether a trialSpec is a plain Job."""
    return raw.get("kind") == KIND and raw.get("apiVersion") == API_VERSION


def job_problems(raw: JsonObject, path: str) -> Iterator[Problem]:
    """What of a Job is not as Kubernetes' types have it; the webhook reads it into them, and refuses."""
    yield from shape_problems(_Job, raw, path, REFUSED)


def gpus_of(container: Container) -> int:
    """The GPU limit of a container."""
    limits = (container.resources.limits if container.resources else None) or {}
    amount = limits.get(GPU_LIMIT)
    return int(float(amount.actual_instance or 0)) if amount is not None else 0
