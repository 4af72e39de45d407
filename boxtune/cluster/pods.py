"""The pods of trials: how each stands, and what it last said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from boxtune.cluster.connection import Cluster, speaking_plainly
from boxtune.cluster.reasons import COLLECTOR, PodState, last_words, one_line, pod_state

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Event, V1Pod

JOB_LABEL = "job-name"  # of the pod; a trial's Job has the trial's name
_TAIL_LINES = 20
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


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
        newest: dict[str, V1Pod] = {}
        pods = self._cluster.pods(JOB_LABEL)
        for pod in sorted(pods, key=lambda each: each.metadata.creation_timestamp):
            if (name := pod.metadata.labels[JOB_LABEL]) in trials:
                newest[name] = pod
        self._newest |= {name: pod.metadata.name for name, pod in newest.items()}
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

        with speaking_plainly(self._cluster):
            try:
                answer = self._cluster.core.read_namespaced_pod_log(
                    pod, self._cluster.namespace, container=container, tail_lines=lines, _preload_content=False
                )
            except ApiException:  # not started, or gone
                return ""
        return str(answer.data.decode(errors="replace"))

    def _state(self, trial: str, pod: V1Pod) -> PodState:
        if trial in self._failed:
            return self._failed[trial]
        state, name = pod_state(pod, self._container), pod.metadata.name
        if pod.status.phase == "Pending" and not state.reason:
            state = pod_state(pod, self._container, self._events(name))
        if state.failed:
            containers = [each.name for each in pod.spec.containers]
            printing = state.container or (COLLECTOR if COLLECTOR in containers else self._container)
            said = last_words(self._log(name, printing, _TAIL_LINES))
            state = replace(state, reason=f"{state.reason}: {said}" if said else state.reason)
            self._failed[trial] = state
        return state

    def _refused(self, job: str) -> str:
        """Why a Job has no pod (Pod Security, a quota), by its events."""
        events = [each for each in self._events(job) if each.type == "Warning"]
        return one_line(events[-1].message) if events else ""

    def _events(self, name: str) -> list[CoreV1Event]:
        """What happened to the object of this name, oldest first."""
        with speaking_plainly(self._cluster):
            found = self._cluster.core.list_namespaced_event(
                self._cluster.namespace, field_selector=f"involvedObject.name={name}"
            )
        return sorted(found.items, key=lambda each: each.last_timestamp or each.event_time or _LONG_AGO)
