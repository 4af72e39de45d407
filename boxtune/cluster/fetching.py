"""From what lies on the cluster to the run that it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from kubeflow_katib_api.models import (
    V1beta1ExperimentCondition,
    V1beta1ExperimentStatus,
    V1beta1Metric,
    V1beta1Trial,
    V1beta1TrialCondition,
    V1beta1TrialSpec,
    V1beta1TrialStatus,
)

from boxtune.cluster.baseline import baseline_trial
from boxtune.cluster.connection import Cluster, optional, speaking_plainly
from boxtune.cluster.pods import JOB_LABEL, TRIAL_LABEL, TrialPods
from boxtune.cluster.reasons import PodState
from boxtune.cluster.repeats import with_repeats
from boxtune.cluster.suggesting import why_no_trial
from boxtune.cluster.times import as_text, attempts
from boxtune.errors import ClusterError
from boxtune.experiment.experiment import Experiment, parse_experiment
from boxtune.experiment.shape import read_model
from boxtune.experiment.source import JsonObject
from boxtune.runs.run import Run, RunCondition
from boxtune.runs.trial import UNAVAILABLE, Condition, Metric, Role, Trial

EXPERIMENT_LABEL = "katib.kubeflow.org/experiment"
# The first of these that is true is what a trial or an Experiment is; Katib leaves earlier ones standing.
_TRIAL_ORDER = (
    Condition.EARLY_STOPPED,
    Condition.SUCCEEDED,
    Condition.METRICS_UNAVAILABLE,
    Condition.FAILED,
    Condition.KILLED,
    Condition.RUNNING,
)
_EXPERIMENT_ORDER = ("Succeeded", "Failed", "Restarting", "Running", "Created")
_OBSERVED = timedelta(seconds=60)  # after it was stopped; then there is nothing to come
_WRITTEN_BY_THE_USER = ("name", "namespace", "labels")
_Condition = TypeVar("_Condition", V1beta1ExperimentCondition, V1beta1TrialCondition)


class Fetcher:
    """Fetches one Experiment's run, again and again; remembers why trials failed after Katib deleted their pods, and a
    baseline that has ended after its Job's time to live.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._pods: TrialPods | None = None
        self._config_maps: Mapping[str, Mapping[str, str]] | None = None
        self._baseline: Trial | None = None
        self.version = ""  # of the Experiment, as it was fetched last

    def fetch(self) -> Run:
        """The run as it is now.

        Raises:
            ClusterError: there is no such Experiment, or the cluster does not answer.
        """
        raw = self._cluster.experiment(self._name)
        if raw is None:
            raise ClusterError(
                f"{self._name}: neither a run's folder nor an Experiment in the namespace {self._cluster.namespace} of "
                f"{self._cluster.server}"
            )
        self.version = str(raw["metadata"].get("resourceVersion") or "")
        written = _as_written(raw)
        if self._config_maps is None:
            self._config_maps = mounted_config_maps(self._cluster, parse_experiment(written, {}))
        experiment = parse_experiment(written, self._config_maps)
        if self._pods is None:
            template = experiment.template
            label = JOB_LABEL if template.job is not None else TRIAL_LABEL
            self._pods = TrialPods(self._cluster, template.primary_container_name, label)
        status = read_model(V1beta1ExperimentStatus, raw.get("status") or {})
        run = self._run(experiment, status, self._pods)
        if run.ended:
            run = with_repeats(self._cluster, run, self._pods)
        if run.ended or any(not trial.condition.ended for trial in run.trials):
            return run
        return replace(run, waits=why_no_trial(self._cluster, raw))

    def _run(self, experiment: Experiment, status: V1beta1ExperimentStatus, pods: TrialPods) -> Run:
        found = [
            read_model(V1beta1Trial, raw) for raw in self._cluster.listed("trials", f"{EXPERIMENT_LABEL}={self._name}")
        ]
        found.sort(key=lambda each: (_created(each), _name(each)))
        states = pods.states([_name(each) for each in found])
        trials = tuple(_trial(each, number, states.get(_name(each))) for number, each in enumerate(found))
        condition = _first_true(status.conditions, _EXPERIMENT_ORDER)
        over = condition is not None and condition.type in (RunCondition.SUCCEEDED, RunCondition.FAILED)
        return Run(
            experiment,
            trials,
            self._with_baseline(experiment, pods),
            RunCondition(condition.type) if over and condition is not None else RunCondition.RUNNING,
            (condition.message if condition is not None else None) or "Experiment is created",
            as_text(status.start_time),
            as_text(status.completion_time),
        )

    def _with_baseline(self, experiment: Experiment, pods: TrialPods) -> Trial | None:
        if self._baseline is None or not self._baseline.condition.measured:
            self._baseline = baseline_trial(self._cluster, experiment, pods) or self._baseline
        return self._baseline


def mounted_config_maps(cluster: Cluster, experiment: Experiment) -> dict[str, Mapping[str, str]]:
    """Data of the ConfigMaps that the trials' pod mounts, as far as they are there."""
    job = experiment.template.job
    volumes = (job.pod.volumes if job is not None else None) or ()
    found: dict[str, Mapping[str, str]] = {}
    for name in (volume.config_map.name for volume in volumes if volume.config_map is not None):
        with speaking_plainly(cluster):
            held = optional(partial(cluster.core.read_namespaced_config_map, name, cluster.namespace))
        if held is not None and name is not None:
            found[name] = dict(held.data or {})
    return found


def _as_written(raw: JsonObject) -> JsonObject:
    """The Experiment without what the cluster adds to its metadata, and without its status."""
    metadata = {name: raw["metadata"][name] for name in _WRITTEN_BY_THE_USER if name in raw["metadata"]}
    return {"apiVersion": raw["apiVersion"], "kind": raw["kind"], "metadata": metadata, "spec": raw["spec"]}


def _name(trial: V1beta1Trial) -> str:
    return (trial.metadata.name if trial.metadata is not None else None) or ""


def _created(trial: V1beta1Trial) -> str:
    return as_text(trial.metadata.creation_timestamp if trial.metadata is not None else None)


def _trial(given: V1beta1Trial, number: int, state: PodState | None) -> Trial:
    status, spec = given.status or V1beta1TrialStatus(), given.spec or V1beta1TrialSpec()
    condition = _first_true(status.conditions, _TRIAL_ORDER)
    kind = Condition(condition.type) if condition is not None else Condition.CREATED
    observation = status.observation.metrics if status.observation is not None else None
    if kind is Condition.EARLY_STOPPED and not observation and _is_recent(condition):
        kind = Condition.RUNNING
    reason = state.reason if state is not None else ""
    if kind.failed and not reason and condition is not None:
        reason = condition.message or ""
    return Trial(
        _name(given),
        Role.SUGGESTED,
        number,
        {each.name or "": each.value or "" for each in spec.parameter_assignments or ()},
        condition=kind,
        reason=reason if not kind.measured else "",
        attempts=attempts(status.start_time, _ended(status, condition), state.exit_code if state is not None else None),
        observation=_observation(observation or ()),
        out_of_memory=kind.failed and state is not None and state.out_of_memory,
    )


def _ended(status: V1beta1TrialStatus, condition: V1beta1TrialCondition | None) -> datetime | None:
    """When a trial ended; Katib gives one that it stopped early no completionTime."""
    if status.completion_time is None and condition is not None and Condition(condition.type).ended:
        return condition.last_transition_time
    return status.completion_time


def _is_recent(condition: V1beta1TrialCondition | None) -> bool:
    """Whether Katib may still be about to write what a trial that it stopped early has measured: that follows."""
    moment = condition.last_transition_time if condition is not None else None
    return moment is not None and datetime.now(UTC) - moment < _OBSERVED


def _first_true(conditions: Sequence[_Condition] | None, order: Sequence[str]) -> _Condition | None:
    """The condition that counts; None where there is none of `order` yet."""
    true = {each.type: each for each in conditions or () if each.status == "True"}
    return next((true[kind] for kind in order if kind in true), None)


def _observation(metrics: Iterable[V1beta1Metric]) -> dict[str, Metric]:
    """Katib writes "unavailable" where it read no number, and leaves out what it never wrote."""
    return {
        each.name or "": Metric(each.name or "", *(value or UNAVAILABLE for value in (each.min, each.max, each.latest)))
        for each in metrics
    }
