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
    IoK8sApimachineryPkgApisMetaV1LabelSelector,
    IoK8sApimachineryPkgApisMetaV1ObjectMeta,
)
from pydantic import BaseModel, Field, StrictBool, StrictInt, StrictStr

from boxtune.experiment.metadata_validation import metadata_problems
from boxtune.experiment.quantities import GPU_LIMIT
from boxtune.experiment.round_trip import round_trip_problems
from boxtune.experiment.shape import read_model, shape_problems
from boxtune.experiment.source import JsonObject
from boxtune.problems import JOB_REFUSED, REFUSED, Problem, errors_of

Container = IoK8sApiCoreV1Container
PodSpec = IoK8sApiCoreV1PodSpec
ObjectMeta = IoK8sApimachineryPkgApisMetaV1ObjectMeta

KIND, API_VERSION = "Job", "batch/v1"


class _PodFailurePolicyOnExitCodesRequirement(BaseModel):
    container_name: StrictStr | None = Field(None, alias="containerName")
    operator: StrictStr
    values: list[StrictInt]


class _PodFailurePolicyOnPodConditionsPattern(BaseModel):
    status: StrictStr | None = None  # "True" where it is left out
    type: StrictStr


class _PodFailurePolicyRule(BaseModel):
    action: StrictStr
    on_exit_codes: _PodFailurePolicyOnExitCodesRequirement | None = Field(None, alias="onExitCodes")
    on_pod_conditions: list[_PodFailurePolicyOnPodConditionsPattern] | None = Field(None, alias="onPodConditions")


class _PodFailurePolicy(BaseModel):
    rules: list[_PodFailurePolicyRule]


class _SuccessPolicyRule(BaseModel):
    succeeded_count: StrictInt | None = Field(None, alias="succeededCount")
    succeeded_indexes: StrictStr | None = Field(None, alias="succeededIndexes")


class _SuccessPolicy(BaseModel):
    rules: list[_SuccessPolicyRule]


class _JobStatus(BaseModel):
    """A Job's `status`, which is the cluster's; of a template it is empty."""

    active: StrictInt | None = None
    conditions: list[dict[str, object]] | None = None
    failed: StrictInt | None = None
    ready: StrictInt | None = None
    succeeded: StrictInt | None = None
    terminating: StrictInt | None = None


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
    pod_failure_policy: _PodFailurePolicy | None = Field(None, alias="podFailurePolicy")
    pod_replacement_policy: StrictStr | None = Field(None, alias="podReplacementPolicy")
    selector: IoK8sApimachineryPkgApisMetaV1LabelSelector | None = None
    success_policy: _SuccessPolicy | None = Field(None, alias="successPolicy")
    suspend: StrictBool | None = None
    template: IoK8sApiCoreV1PodTemplateSpec | None = None
    ttl_seconds_after_finished: StrictInt | None = Field(None, alias="ttlSecondsAfterFinished")


class _Job(BaseModel):
    """A whole Job; its status is the cluster's."""

    api_version: StrictStr | None = Field(None, alias="apiVersion")
    kind: StrictStr | None = None
    metadata: ObjectMeta | None = None
    spec: _JobSpec | None = None
    status: _JobStatus | None = None


@dataclass(frozen=True)
class Job:
    """A trial's Job.

    Attributes:
        labels, annotations: of the Job itself.
        backoff_limit: how often a failed trial is repeated; None where it is left out.
        active_deadline_seconds: after which it or its pod is ended, whichever comes first; None where it is left out.
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
        numbers = _JobSpec.model_validate({name: spec.get(name) for name in ("activeDeadlineSeconds", "backoffLimit")})
        template = read_model(IoK8sApiCoreV1PodTemplateSpec, spec.get("template") or {})
        pod_s = template.spec.active_deadline_seconds if template.spec is not None else None
        deadlines = (numbers.active_deadline_seconds, pod_s)
        own, pods = read_model(ObjectMeta, raw.get("metadata") or {}), template.metadata or ObjectMeta()
        return cls(
            own.labels or {},
            own.annotations or {},
            numbers.backoff_limit,
            min((each for each in deadlines if each is not None), default=None),
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


def job_shape_problems(raw: JsonObject, path: str) -> Iterator[Problem]:
    """What of a Job cannot be read as one."""
    yield from errors_of(list(shape_problems(_Job, raw, path)))


def job_problems(raw: JsonObject, path: str) -> Iterator[Problem]:
    """What of a Job is not as Kubernetes' types have it: the webhook reads it into them, and compares."""
    wrong = list(shape_problems(_Job, raw, path, REFUSED))
    yield from wrong
    if any(each.on_katib == REFUSED for each in wrong):
        return
    yield from round_trip_problems(_Job, raw, path)
    template = (raw.get("spec") or {}).get("template") or {}
    for holder, where in ((raw, path), (template, f"{path}.spec.template")):
        yield from metadata_problems(holder.get("metadata"), f"{where}.metadata", JOB_REFUSED)


def gpus_of(container: Container) -> int:
    """The GPU limit of a container."""
    limits = (container.resources.limits if container.resources else None) or {}
    amount = limits.get(GPU_LIMIT)
    return int(float(amount.actual_instance or 0)) if amount is not None else 0
