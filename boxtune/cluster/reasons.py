"""Why a trial waits or failed, in one line, from what Kubernetes says of its pod."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from boxtune.runs.endings import code_in_words, last_line

COLLECTOR = "metrics-logger-and-collector"  # its log repeats the primary container's, which the shell line redirects
_REPEATED = re.compile(r"^I\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\] (.*)", re.MULTILINE)  # klog; its errors begin with E
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
        exit_code: of the primary container, or None while there is none.
        failed: whether the primary container ended otherwise than with 0.
    """

    reason: str
    exit_code: int | None = None
    failed: bool = False


def pod_state(pod: Mapping[str, Any], container: str, events: Iterable[Mapping[str, Any]] = ()) -> PodState:
    """The state of a trial's pod.

    Args:
        pod: as the API's JSON has it.
        container: the primary one's name.
        events: the pod's own, oldest first.
    """
    status = pod.get("status") or {}
    found: Mapping[str, Any] = next(
        (each for each in status.get("containerStatuses") or () if each["name"] == container), {}
    )
    state = found.get("state") or {}
    ended = state.get("terminated") or (found.get("lastState") or {}).get("terminated")
    if ended is not None:
        code = int(ended.get("exitCode", 0))
        return PodState(_ended(pod, container, ended, status) if code else "", code, bool(code))
    if status.get("phase") == "Failed":  # evicted before it ran
        return PodState(f"{status.get('reason', 'Failed')}: {_one_line(status.get('message', ''))}", failed=True)
    return PodState(_waits(status, state.get("waiting") or {}, events))


def _ended(pod: Mapping[str, Any], container: str, ended: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    if ended.get("reason") == "OOMKilled":
        limit = _memory_limit(pod, container)
        return f"out of memory: it needed more than its limit{f' of {limit}' if limit else ''}; raise resources.limits"
    moved = _condition(status, "DisruptionTarget")
    if moved is not None:
        return f"its pod was taken away: {_one_line(moved.get('message') or moved.get('reason', ''))}"
    return code_in_words(int(ended["exitCode"]))


def _waits(status: Mapping[str, Any], waiting: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> str:
    scheduled = _condition(status, "PodScheduled", "False")
    if scheduled is not None:
        return f"waits for a node: {_one_line(scheduled.get('message', ''))}"
    reason = waiting.get("reason", "")
    if reason in _STUCK:
        return f"{_STUCK[reason]}: {_one_line(waiting.get('message', ''))}"
    warnings = [each for each in events if each.get("type") == "Warning"]
    if reason and warnings:
        return f"{warnings[-1].get('reason', '')}: {_one_line(warnings[-1].get('message', ''))}"
    return ""


def _condition(status: Mapping[str, Any], kind: str, value: str = "True") -> Mapping[str, Any] | None:
    return next(
        (each for each in status.get("conditions") or () if each["type"] == kind and each["status"] == value), None
    )


def _memory_limit(pod: Mapping[str, Any], container: str) -> str:
    for each in pod["spec"]["containers"]:
        if each["name"] == container:
            return str(((each.get("resources") or {}).get("limits") or {}).get("memory", ""))
    return ""


def last_words(log: str) -> str:
    """The last line of a container's log; in the collector's, the last that it repeated."""
    repeated = _REPEATED.findall(log)
    return last_line("\n".join(repeated) if repeated else log)


def _one_line(text: str) -> str:
    return " ".join(text.split())
