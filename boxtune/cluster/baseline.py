"""The baseline on a cluster: the base config's own values as a Job of its own beside the Experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from boxtune.cluster.connection import Cluster, optional, speaking_plainly
from boxtune.cluster.pods import TrialPods
from boxtune.cluster.times import attempts
from boxtune.errors import ExperimentError
from boxtune.experiment.baseline import baseline_assignments
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import Json, JsonObject
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_command import TrialCommand, fill
from boxtune.experiment.trial_config import TrialConfig, trial_config
from boxtune.runs.collector import collect_text
from boxtune.runs.trial import Condition, Role, Trial
from trial_entry.errors import RequestError

if TYPE_CHECKING:
    from kubernetes.client import V1JobStatus

_ASSIGNMENTS = "boxtune/assignments"  # annotation


def baseline_name(experiment: str) -> str:
    """The Job's name."""
    return f"{experiment}-baseline"


def baseline_job(experiment: Experiment, namespace: str) -> JsonObject:
    """The Job: the trialTemplate's with the base config's own values, and without what Katib adds.

    Raises:
        ExperimentError: there is no baseline: the trials are not trial_entry's, or the base config is not in the
            Experiment's ConfigMaps.
    """
    trials = _trials(experiment)
    assignments = baseline_assignments(experiment, trials) if trials is not None else None
    if trials is None or assignments is None:
        raise ExperimentError(
            "--baseline: the base config's own values cannot be trained: the trials must be python -m trial_entry, "
            "their config in a ConfigMap of the file, and every parameter a --set"
        )
    return _job(experiment, trials.command, namespace, assignments)


def _trials(experiment: Experiment) -> TrialConfig | None:
    try:
        return trial_config(experiment, {})
    except RequestError:
        return None  # boxtune check has said what is wrong


def _job(experiment: Experiment, command: TrialCommand, namespace: str, assignments: Assignments) -> JsonObject:
    name = baseline_name(experiment.name)
    values = command.values(name, namespace, assignments)
    arguments = command.kept(values)[len(command.container.command or ()) :]
    metadata = {
        "name": name,
        "labels": {
            "app.kubernetes.io/part-of": "boxtune",
            "app.kubernetes.io/component": "baseline",
            "app.kubernetes.io/instance": experiment.name,
        },
        "annotations": {_ASSIGNMENTS: json.dumps(assignments)},
    }
    job: JsonObject = _filled({**experiment.template.trial_spec, "metadata": metadata}, values)
    container = next(
        each for each in job["spec"]["template"]["spec"]["containers"] if each["name"] == command.container.name
    )
    container["args"] = [fill(text, values) for text in arguments]
    return job


def _filled(value: Json, values: Mapping[str, str | None]) -> Json:
    """`value` with every text in it filled in."""
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, Mapping):
        return {key: _filled(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    return value


def baseline_trial(cluster: Cluster, experiment: Experiment, pods: TrialPods) -> Trial | None:
    """The baseline as it stands, or None where none was submitted; its metrics come from its pod's log."""
    name = baseline_name(experiment.name)
    with speaking_plainly(cluster):
        job = optional(lambda: cluster.batch.read_namespaced_job(name, cluster.namespace))
    if job is None:
        return None
    status, state = job.status, pods.states([name]).get(name)
    observation = {}
    if status.succeeded:
        collector, metrics = experiment.collector, experiment.objective.metrics
        observation = collect_text(pods.output(name), metrics, collector.filters, collector.file_format)
    condition = _condition(status, bool(observation))
    ended = status.completion_time or next(
        (each.last_transition_time for each in status.conditions or () if each.type == "Failed"), None
    )
    return Trial(
        name,
        Role.BASELINE,
        None,
        json.loads((job.metadata.annotations or {}).get(_ASSIGNMENTS, "{}")),
        condition=condition,
        reason=state.reason if state is not None and not condition.measured else "",
        attempts=attempts(status.start_time, ended, state.exit_code if state is not None else None),
        observation=observation,
    )


def _condition(status: V1JobStatus, measured: bool) -> Condition:
    if status.succeeded:
        return Condition.SUCCEEDED if measured else Condition.METRICS_UNAVAILABLE
    if status.failed:
        return Condition.FAILED
    return Condition.RUNNING if status.active else Condition.CREATED
