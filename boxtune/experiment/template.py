"""spec.trialTemplate: what a trial is, as the Experiment says it, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubeflow_katib_api.models import V1beta1TrialTemplate

from boxtune.experiment.job import Job, is_job
from boxtune.experiment.source import JsonObject


@dataclass(frozen=True)
class TrialTemplate:
    """The template of every trial.

    Attributes:
        references: the parameter (or `${trialSpec.…}`) that each trialParameter stands for, by the latter's name.
        primary_container_name: of the container that trains and prints the metrics.
        success_condition, failure_condition: GJSON expressions on the trial's status; empty for Katib's own.
        retain: whether finished trials stay on the cluster.
        config_map: the ConfigMap that holds the trialSpec instead; empty where it stands here.
        trial_spec: the object that is made for each trial, as read; empty where it is in a ConfigMap.
        job: the same, typed; None where it is no plain Job.
    """

    references: Mapping[str, str] = field(default_factory=dict)
    primary_container_name: str = ""
    success_condition: str = ""
    failure_condition: str = ""
    retain: bool = False
    config_map: str = ""
    trial_spec: JsonObject = field(default_factory=dict)
    job: Job | None = None

    @classmethod
    def read(cls, given: V1beta1TrialTemplate | None) -> TrialTemplate:
        """From Katib's model, in which validation has found nothing wrong."""
        if given is None:
            return cls()
        raw = given.trial_spec or {}
        return cls(
            {each.name or "": each.reference or "" for each in given.trial_parameters or ()},
            given.primary_container_name or "",
            given.success_condition or "",
            given.failure_condition or "",
            bool(given.retain),
            (given.config_map.config_map_name or "") if given.config_map is not None else "",
            raw,
            Job.read(raw) if is_job(raw) else None,
        )

    @property
    def kind(self) -> str:
        """Of the object that a trial is, such as `Job of batch/v1`; empty where it is in a ConfigMap."""
        return f"{self.trial_spec['kind']} of {self.trial_spec['apiVersion']}" if self.trial_spec else ""
