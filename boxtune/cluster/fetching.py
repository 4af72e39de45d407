"""From what lies on the cluster to the run that it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from boxtune.cluster.baseline import baseline_trial
from boxtune.cluster.connection import Cluster, optional, speaking_plainly
from boxtune.cluster.pods import TrialPods
from boxtune.errors import ClusterError
from boxtune.experiment.model import Experiment, parse_experiment
from boxtune.experiment.trial_command import TrialCommand
from boxtune.runs.model import UNAVAILABLE, Condition, Metric, Run, Trial

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


class Fetcher:
    """Fetches one Experiment's run, again and again; remembers why trials failed after Katib deleted their pods."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._pods: TrialPods | None = None
        self._config_maps: dict[str, dict[str, str]] | None = None

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
        if self._config_maps is None:
            self._config_maps = config_maps_of(self._cluster, raw)
        experiment = parse_experiment(_as_written(raw), self._config_maps)
        if self._pods is None:
            self._pods = TrialPods(self._cluster, TrialCommand(experiment).container["name"])
        return self._run(experiment, raw.get("status") or {})

    def _run(self, experiment: Experiment, status: Mapping[str, Any]) -> Run:
        assert self._pods is not None
        selector = f"{EXPERIMENT_LABEL}={self._name}"
        found = sorted(
            self._cluster.listed("trials", selector),
            key=lambda each: (each["metadata"]["creationTimestamp"], each["metadata"]["name"]),
        )
        states = self._pods.states([each["metadata"]["name"] for each in found])
        trials = tuple(_trial(raw, number, states) for number, raw in enumerate(found))
        condition = _first_true(status, _EXPERIMENT_ORDER)
        return Run(
            experiment,
            trials,
            baseline_trial(self._cluster, experiment, self._pods),
            "Running" if condition["type"] not in ("Succeeded", "Failed") else condition["type"],
            condition.get("message") or "Experiment is created",
            status.get("startTime") or "",
            status.get("completionTime") or "",
        )


def config_maps_of(cluster: Cluster, raw: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Data of the ConfigMaps that the trials' pod mounts, as far as they are there."""
    pod = ((raw["spec"]["trialTemplate"].get("trialSpec") or {}).get("spec") or {}).get("template") or {}
    names = [(volume.get("configMap") or {}).get("name") for volume in (pod.get("spec") or {}).get("volumes") or ()]
    found: dict[str, dict[str, str]] = {}
    for name in filter(None, names):
        with speaking_plainly(cluster):
            held = optional(partial(cluster.core.read_namespaced_config_map, name, cluster.namespace))
        if held is not None:
            found[name] = dict(held.data or {})
    return found


def _as_written(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The Experiment without what the cluster adds to its metadata, and without its status."""
    metadata = {name: raw["metadata"][name] for name in ("name", "namespace", "labels") if name in raw["metadata"]}
    return {"apiVersion": raw["apiVersion"], "kind": raw["kind"], "metadata": metadata, "spec": raw["spec"]}


def _trial(raw: Mapping[str, Any], number: int, states: Mapping[str, Any]) -> Trial:
    name, status = raw["metadata"]["name"], raw.get("status") or {}
    condition = _first_true(status, _TRIAL_ORDER)
    kind = Condition(condition["type"])
    state = states.get(name)
    reason = state.reason if state is not None else ""
    if kind.failed and not reason:
        reason = condition.get("message", "")
    started, ended = status.get("startTime") or "", status.get("completionTime") or ""
    return Trial(
        name,
        number,
        {each["name"]: str(each["value"]) for each in raw["spec"].get("parameterAssignments") or ()},
        kind,
        reason if not kind.measured else "",
        state.exit_code if state is not None else None,
        _observation((status.get("observation") or {}).get("metrics") or ()),
        _seconds(started, ended),
        started,
        ended,
    )


def _first_true(status: Mapping[str, Any], order: Sequence[str]) -> Mapping[str, Any]:
    """The condition that counts; one of type Created where there is none yet."""
    true = {each["type"]: each for each in status.get("conditions") or () if each["status"] == "True"}
    return next((true[kind] for kind in order if kind in true), {"type": "Created"})


def _observation(metrics: Sequence[Mapping[str, str]]) -> dict[str, Metric]:
    return {
        each["name"]: Metric(each["name"], *(each.get(value) or UNAVAILABLE for value in ("min", "max", "latest")))
        for each in metrics
    }


def _seconds(started: str, ended: str) -> float:
    if not started or not ended:
        return 0.0
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()
