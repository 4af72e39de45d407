"""Trainings beside an Experiment: Jobs of its trialTemplate that Katib knows nothing of, and what they measure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from boxtune.cluster.pods import TrialPods
from boxtune.cluster.times import attempts
from boxtune.experiment.editing import seeded
from boxtune.experiment.experiment import Experiment
from boxtune.experiment.source import Json, JsonObject
from boxtune.experiment.space import Assignments
from boxtune.experiment.trial_command import TrialCommand, fill
from boxtune.runs.collector import collect_text
from boxtune.runs.trial import Condition, Role, Trial, value_in

if TYPE_CHECKING:
    from kubernetes.client import V1Job, V1JobStatus

COMPONENT, INSTANCE = "app.kubernetes.io/component", "app.kubernetes.io/instance"  # labels
_ASSIGNMENTS, _REPEATS, _SEED = "boxtune/assignments", "boxtune/repeats", "boxtune/seed"  # annotations


@dataclass(frozen=True)
class Training:
    """A training that is to be a Job.

    Attributes:
        name: the Job's.
        role: why it is made.
        assignments: by parameter; those that are left out lose their `--set`.
        seed: instead of the one that its arguments say; None for that one.
        repeats: the name of the trial that it repeats, or empty.
    """

    name: str
    role: Role
    assignments: Assignments = field(default_factory=dict)
    seed: int | None = None
    repeats: str = ""


def job_beside(experiment: Experiment, command: TrialCommand, namespace: str, training: Training) -> JsonObject:
    """The Job: the trialTemplate's with the training's values, and without what Katib adds."""
    values = command.values(training.name, namespace, training.assignments)
    arguments = [fill(text, values) for text in command.kept(values)]
    kept = {_ASSIGNMENTS: json.dumps(training.assignments)}
    if training.seed is not None:
        arguments = seeded(arguments, training.seed, command.is_own)
        kept |= {_REPEATS: training.repeats, _SEED: str(training.seed)}
    labels = {
        "app.kubernetes.io/part-of": "boxtune",
        COMPONENT: str(training.role),
        INSTANCE: experiment.name,
    }
    metadata = {"name": training.name, "labels": labels, "annotations": kept}
    job: JsonObject = _filled({**experiment.template.trial_spec, "metadata": metadata}, values)
    container = next(
        each for each in job["spec"]["template"]["spec"]["containers"] if each["name"] == command.container.name
    )
    words = len(command.container.command or ())
    if training.seed is not None and words:
        container["command"] = arguments[:words]  # a shell line says its seed there
    container["args"] = arguments[words:]
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


def trial_beside(experiment: Experiment, pods: TrialPods, job: V1Job, role: Role) -> Trial:
    """A training as it stands; its metrics come from its pod's log."""
    name, status = job.metadata.name, job.status
    kept, state = job.metadata.annotations or {}, pods.states([name]).get(name)
    observation = {}
    if status.succeeded:
        collector, metrics = experiment.collector, experiment.objective.metrics
        observation = collect_text(pods.output(name), metrics, collector.filters, collector.file_format)
    condition = _condition(status, value_in(observation, experiment.objective) is not None)
    ended = status.completion_time or next(
        (each.last_transition_time for each in status.conditions or () if each.type == "Failed"), None
    )
    return Trial(
        name,
        role,
        None,
        json.loads(kept.get(_ASSIGNMENTS, "{}")),
        seed=int(kept[_SEED]) if _SEED in kept else None,
        condition=condition,
        reason=state.reason if state is not None and not condition.measured else "",
        attempts=attempts(status.start_time, ended, state.exit_code if state is not None else None),
        observation=observation,
        repeats=kept.get(_REPEATS, ""),
        out_of_memory=condition.failed and state is not None and state.out_of_memory,
    )


def _condition(status: V1JobStatus, measured: bool) -> Condition:
    if status.succeeded:
        return Condition.SUCCEEDED if measured else Condition.METRICS_UNAVAILABLE
    if status.failed:
        return Condition.FAILED
    return Condition.RUNNING if status.active else Condition.CREATED
