"""Why a trial waits or failed, in one line, from what Kubernetes says of its pod."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boxtune.runs.endings import code_in_words, is_out_of_memory, last_line

if TYPE_CHECKING:
    from kubernetes.client import (
        CoreV1Event,
        V1ContainerState,
        V1ContainerStateTerminated,
        V1ContainerStateWaiting,
        V1Pod,
        V1PodCondition,
    )

_OWN = "-m trial_entry"  # in the command of trials whose exit codes have a meaning
COLLECTOR = "metrics-logger-and-collector"  # its log repeats the primary container's, which the shell line redirects
_REPEATED = re.compile(r"^I\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\] (.*)", re.MULTILINE)  # klog; its errors begin with E
_FAULT = re.compile(r"^[EF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\] (.*)", re.MULTILINE)
_STUCK = {  # what a waiting container does not get over by itself, and what to do
    "ErrImagePull": "the image cannot be pulled",
    "ImagePullBackOff": "the image cannot be pulled",
    "ErrImageNeverPull": "the image is not on the node, and its imagePullPolicy is Never",
    "InvalidImageName": "the image's name is no name",
    "CreateContainerConfigError": "the container cannot be made",
    "CreateContainerError": "the container cannot be made",
    "RunContainerError": "the container cannot be started",
}


@dataclass(frozen=True)
class PodState:
    """What a pod says of its trial.

    Attributes:
        reason: why it waits or failed; empty where it runs or succeeded.
        exit_code: of the primary container, or of the init container that failed; None while there is none.
        failed: whether that container, or one beside the primary one, ended otherwise than with 0.
        container: the other container that failed, an init container or Katib's collector; empty where none did.
        out_of_memory: whether the primary container's training did not fit.
    """

    reason: str
    exit_code: int | None = None
    failed: bool = False
    container: str = ""
    out_of_memory: bool = False


def pod_state(pod: V1Pod, container: str, events: Sequence[CoreV1Event] = ()) -> PodState:
    """The state of a trial's pod.

    Args:
        container: the primary one's name.
        events: the pod's own, oldest first.
    """
    status = pod.status
    found = next((each for each in status.container_statuses or () if each.name == container), None)
    ended = _terminated(found.state, found.last_state) if found is not None else None
    code = int(ended.exit_code) if ended is not None else None
    if ended is not None and code:
        return PodState(_ended(pod, container, ended), code, True, out_of_memory=_did_not_fit(pod, container, ended))
    beside = _beside(pod, container, code)
    if beside is not None:
        return beside
    if code is not None:
        return PodState("", code)
    before = _before(pod)
    if before is not None:
        return before
    if status.phase == "Failed":  # evicted before it ran
        return PodState(f"{status.reason or 'Failed'}: {one_line(status.message)}", failed=True)
    waiting = found.state.waiting if found is not None and found.state is not None else None
    return PodState(_waits(pod, waiting, events))


def _before(pod: V1Pod) -> PodState | None:
    """What an init container says of its trial: that it failed, or cannot be started; None where all is well."""
    for each in pod.status.init_container_statuses or ():
        ended = _terminated(each.state, each.last_state)
        if ended is not None and ended.exit_code:
            code = int(ended.exit_code)
            return PodState(f"{each.name}: {_ended(pod, each.name, ended)}", code, True, each.name)
        waiting = each.state.waiting if each.state is not None else None
        if waiting is not None and waiting.reason in _STUCK:
            return PodState(f"{each.name}: {_STUCK[waiting.reason]}: {one_line(waiting.message)}")
    return None


def _beside(pod: V1Pod, container: str, code: int | None) -> PodState | None:
    """What the containers beside the primary one say of its trial: that one failed or cannot be started. That is mostly
    Katib's collector, without which no metric arrives. None where all is well.

    Args:
        code: the primary one's exit code, or None.
    """
    for each in pod.status.container_statuses or ():
        if each.name == container or each.state is None:
            continue
        what = "Katib's collector" if each.name == COLLECTOR else f"the container {each.name}"
        ended, waiting = each.state.terminated, each.state.waiting
        if ended is not None and ended.exit_code:
            lost = ", so no metric arrives" if each.name == COLLECTOR else ""
            return PodState(f"{what} failed{lost} ({_ended(pod, each.name, ended)})", code, True, each.name)
        if waiting is not None and waiting.reason in _STUCK:
            return PodState(f"{what}: {_STUCK[waiting.reason]}: {one_line(waiting.message)}", code)
    return None


def service_state(pod: V1Pod, events: Sequence[CoreV1Event] = ()) -> str:
    """Why a pod that is to run for ever does not; empty where it runs, or is only beginning.

    Args:
        events: the pod's own, oldest first.
    """
    for each in pod.status.container_statuses or ():
        waiting = each.state.waiting if each.state is not None else None
        ended = _terminated(each.state, each.last_state)
        if ended is not None and not each.ready:
            return f"its container {each.name} ended: {_ended(pod, each.name, ended)}"
        if waiting is not None and waiting.reason in _STUCK:
            return f"{_STUCK[waiting.reason]}: {one_line(waiting.message)}"
    first = next(iter(pod.status.container_statuses or ()), None)
    return _waits(pod, first.state.waiting if first is not None and first.state is not None else None, events)


def is_unscheduled(pod: V1Pod) -> bool:
    """Whether the scheduler has found no node for it."""
    return _condition(pod, "PodScheduled", "False") is not None


def _terminated(*states: V1ContainerState | None) -> V1ContainerStateTerminated | None:
    """How a container ended, by the first of its states (the present one, the one before) that is an end."""
    return next((state.terminated for state in states if state is not None and state.terminated is not None), None)


def _ended(pod: V1Pod, container: str, ended: V1ContainerStateTerminated) -> str:
    if ended.reason == "OOMKilled":
        limit = _memory_limit(pod, container)
        return f"out of memory: it needed more than its limit{f' of {limit}' if limit else ''}; raise resources.limits"
    moved = _condition(pod, "DisruptionTarget")
    if moved is not None:
        return f"its pod was taken away: {one_line(moved.message or moved.reason)}"
    return code_in_words(int(ended.exit_code), _is_own(pod, container))


def _did_not_fit(pod: V1Pod, container: str, ended: V1ContainerStateTerminated) -> bool:
    if ended.reason == "OOMKilled":
        return True
    is_deleted = pod.metadata is not None and pod.metadata.deletion_timestamp is not None
    was_killed = is_deleted or _condition(pod, "DisruptionTarget") is not None
    return not was_killed and is_out_of_memory(int(ended.exit_code), _is_own(pod, container))


def _is_own(pod: V1Pod, container: str) -> bool:
    """Whether a container runs `python -m trial_entry`."""
    held = next(
        (each for each in (*pod.spec.containers, *(pod.spec.init_containers or ())) if each.name == container), None
    )
    return held is not None and _OWN in " ".join([*(held.command or ()), *(held.args or ())])


def _waits(pod: V1Pod, waiting: V1ContainerStateWaiting | None, events: Sequence[CoreV1Event]) -> str:
    scheduled = _condition(pod, "PodScheduled", "False")
    if scheduled is not None:
        return f"waits for a node: {one_line(scheduled.message)}"
    reason = (waiting.reason if waiting is not None else None) or ""
    if waiting is not None and reason in _STUCK:
        return f"{_STUCK[reason]}: {one_line(waiting.message)}"
    warnings = [each for each in events if each.type == "Warning"]
    if reason and warnings:
        return f"{warnings[-1].reason or ''}: {one_line(warnings[-1].message)}"
    return ""


def _condition(pod: V1Pod, kind: str, value: str = "True") -> V1PodCondition | None:
    return next((each for each in pod.status.conditions or () if each.type == kind and each.status == value), None)


def _memory_limit(pod: V1Pod, container: str) -> str:
    containers = [*pod.spec.containers, *(pod.spec.init_containers or ())]
    found = next((each for each in containers if each.name == container), None)
    limits = (found.resources.limits if found is not None and found.resources is not None else None) or {}
    return str(limits["memory"]) if "memory" in limits else ""


def last_words(log: str) -> str:
    """The last line of a container's log; in the collector's, the last that it repeated."""
    repeated = _REPEATED.findall(log)
    return last_line("\n".join(repeated) if repeated else log)


def collector_fault(log: str) -> str:
    """The last thing that Katib's collector itself complained of in its log; empty where it did not."""
    faults = _FAULT.findall(log)
    return last_line(faults[-1]) if faults else ""


def one_line(text: str | None) -> str:
    """A message of Kubernetes' without its line breaks; empty where there is none."""
    return " ".join((text or "").split())
