"""The pods of trials: how each stands, and what it last said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from boxtune.cluster.claims import why_unbound
from boxtune.cluster.connection import Cluster, speaking_plainly
from boxtune.cluster.events import events_about
from boxtune.cluster.reasons import (
    COLLECTOR,
    PodState,
    collector_fault,
    is_unscheduled,
    last_words,
    one_line,
    pod_state,
)

if TYPE_CHECKING:
    from kubernetes.client import V1Pod

JOB_LABEL = "job-name"  # of a Job's pod; a trial's Job has the trial's name
TRIAL_LABEL = "katib.kubeflow.org/trial"  # of the pod with the primary container, whatever job it is of
_TAIL_LINES = 20
_TRACE_LINES = 400  # of a collector that died: its reason stands above what each of its routines was doing


class TrialPods:
    """Looks at trials' pods; a failure that was seen once is remembered, since Katib deletes the pod."""

    def __init__(self, cluster: Cluster, container: str, label: str = JOB_LABEL) -> None:
        """
        Args:
            container: the primary one's name.
            label: of a pod, that has the trial's name.
        """
        self._cluster = cluster
        self._container = container
        self._label = label
        self._failed: dict[str, PodState] = {}
        self._newest: dict[str, str] = {}

    def states(self, trials: Sequence[str]) -> dict[str, PodState]:
        """How each of these trials' pods stands; those that have none and never failed are left out."""
        newest: dict[str, V1Pod] = {}
        pods = self._cluster.pods(self._label)
        for pod in sorted(pods, key=lambda each: each.metadata.creation_timestamp):
            if (name := pod.metadata.labels[self._label]) in trials:
                newest[name] = pod
        self._newest |= {name: pod.metadata.name for name, pod in newest.items()}
        unbound = cache(partial(why_unbound, self._cluster))  # most trials mount the same claims
        found = {name: self._state(name, pod, unbound) for name, pod in newest.items()}
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

    def _state(self, trial: str, pod: V1Pod, unbound: Callable[[str], str]) -> PodState:
        if trial in self._failed:
            return self._failed[trial]
        state, name = pod_state(pod, self._container), pod.metadata.name
        if is_unscheduled(pod) and (why := next(filter(None, map(unbound, _claims(pod))), "")):
            return replace(state, reason=f"waits for a volume: {why}")
        if pod.status.phase == "Pending" and not state.reason:
            state = pod_state(pod, self._container, events_about(self._cluster, name))
        if state.failed:
            said = self._said(pod, state)
            state = replace(state, reason=f"{state.reason}: {said}" if said else state.reason)
            self._failed[trial] = state
        return state

    def _said(self, pod: V1Pod, state: PodState) -> str:
        """What the container that failed said last."""
        containers = [each.name for each in pod.spec.containers]
        printing = state.container or (COLLECTOR if COLLECTOR in containers else self._container)
        if state.container == COLLECTOR:
            return collector_fault(self._log(pod.metadata.name, COLLECTOR, _TRACE_LINES))
        return last_words(self._log(pod.metadata.name, printing, _TAIL_LINES))

    def _refused(self, job: str) -> str:
        """Why a Job has no pod (Pod Security, a quota), by its events."""
        events = [each for each in events_about(self._cluster, job) if each.type == "Warning"]
        return one_line(events[-1].message) if events else ""


def _claims(pod: V1Pod) -> list[str]:
    """Names of the claims that a pod mounts."""
    claims = [each.persistent_volume_claim for each in pod.spec.volumes or ()]
    return [str(each.claim_name) for each in claims if each is not None]
