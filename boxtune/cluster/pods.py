"""The pods of trials: how each stands, and what it last said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from boxtune.cluster.connection import Cluster, speaking_plainly
from boxtune.cluster.reasons import COLLECTOR, PodState, last_words, pod_state

JOB_LABEL = "job-name"  # of the pod; a trial's Job has the trial's name
_TAIL_LINES = 20


class TrialPods:
    """Looks at trials' pods; a failure that was seen once is remembered, since Katib deletes the pod."""

    def __init__(self, cluster: Cluster, container: str) -> None:
        """
        Args:
            container: the primary one's name.
        """
        self._cluster = cluster
        self._container = container
        self._failed: dict[str, PodState] = {}
        self._newest: dict[str, str] = {}

    def states(self, trials: Sequence[str]) -> dict[str, PodState]:
        """How each of these trials' pods stands; those that have none and never failed are left out."""
        newest: dict[str, Mapping[str, Any]] = {}
        for pod in self._cluster.pods(JOB_LABEL):
            name = pod["metadata"]["labels"][JOB_LABEL]
            if name in trials and pod["metadata"]["creationTimestamp"] >= _created(newest.get(name)):
                newest[name] = pod
        self._newest |= {name: pod["metadata"]["name"] for name, pod in newest.items()}
        found = {name: self._state(name, pod) for name, pod in newest.items()}
        for name in trials:
            if name not in found and name not in self._failed and (why := self._refused(name)):
                found[name] = PodState(why)
        return {**self._failed, **found}

    def output(self, trial: str) -> str:
        """What the primary container of this trial's pod has printed; empty where `states` has seen no pod."""
        return self._log(self._newest[trial], self._container) if trial in self._newest else ""

    def _log(self, pod: str, container: str, lines: int | None = None) -> str:
        from kubernetes.client import ApiException

        try:
            with speaking_plainly(self._cluster):
                answer = self._cluster.core.read_namespaced_pod_log(
                    pod, self._cluster.namespace, container=container, tail_lines=lines, _preload_content=False
                )
        except ApiException:  # not started, or gone
            return ""
        return str(answer.data.decode(errors="replace"))

    def _state(self, trial: str, pod: Mapping[str, Any]) -> PodState:
        if trial in self._failed:
            return self._failed[trial]
        state = pod_state(pod, self._container)
        name = pod["metadata"]["name"]
        if (pod.get("status") or {}).get("phase") == "Pending" and not state.reason:
            state = pod_state(pod, self._container, self._events(name))
        if state.failed:
            containers = [each["name"] for each in pod["spec"]["containers"]]
            said = last_words(self._log(name, COLLECTOR if COLLECTOR in containers else self._container, _TAIL_LINES))
            state = replace(state, reason=f"{state.reason}: {said}" if said else state.reason)
            self._failed[trial] = state
        return state

    def _refused(self, job: str) -> str:
        """Why a Job has no pod (Pod Security, a quota), by its events."""
        events = [each for each in self._events(job) if each.get("type") == "Warning"]
        return " ".join(str(events[-1].get("message", "")).split()) if events else ""

    def _events(self, name: str) -> list[dict[str, Any]]:
        with speaking_plainly(self._cluster):
            found = self._cluster.core.list_namespaced_event(
                self._cluster.namespace, field_selector=f"involvedObject.name={name}"
            )
        events = [self._cluster.plain(event) for event in found.items]
        return sorted(events, key=lambda each: each.get("lastTimestamp") or each.get("eventTime") or "")


def _created(pod: Mapping[str, Any] | None) -> str:
    return "" if pod is None else str(pod["metadata"]["creationTimestamp"])
