"""Why a trial waits or failed: statuses as a Kubernetes 1.34 node wrote them, shortened."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes.client import CoreV1Event, V1Pod

from boxtune.cluster.reasons import COLLECTOR, collector_fault, last_words, pod_state, service_state
from tests.boxtune.cluster.models import read


def pod(status: dict[str, Any]) -> V1Pod:
    command = ["python", "-m", "trial_entry"]
    limits = {"limits": {"memory": "300Mi"}}
    containers = [{"name": "trial", "command": command, "resources": limits}]
    return read({"spec": {"containers": containers}, "status": status}, "V1Pod")


def event(**fields: str) -> CoreV1Event:
    return read({"metadata": {}, "involvedObject": {}, **fields}, "CoreV1Event")


def container(**state: Any) -> list[dict[str, Any]]:
    return [{"name": "trial", "image": "i", "imageID": "i", "ready": False, "restartCount": 0, "state": state}]


def ended(code: int, **more: Any) -> dict[str, Any]:
    return {"containerStatuses": container(terminated={"exitCode": code, **more})}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"phase": "Pending", "containerStatuses": container(waiting={"reason": reason, "message": message})}


UNSCHEDULABLE = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, ",
        }
    ],
}
EVICTED = {
    **ended(143),
    "conditions": [
        {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "gone"}
    ],
}


@pytest.mark.parametrize(
    ("status", "says", "failed"),
    [
        (UNSCHEDULABLE, "waits for a node: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", False),
        (waiting("ImagePullBackOff", 'Back-off pulling image "x"'), "the image cannot be pulled: Back-off", False),
        (waiting("CreateContainerConfigError", "secret not found"), "the container cannot be made: secret", False),
        (waiting("ContainerCreating"), "", False),
        (ended(0), "", False),
        (ended(2), "the request is wrong", True),
        (ended(137, reason="OOMKilled"), "out of memory: it needed more than its limit of 300Mi", True),
        (ended(137, reason="Error"), "killed; if nobody did it, memory ran out", True),
        (EVICTED, "its pod was taken away: gone", True),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on\nmemory"}, "Evicted: low on memory", True),
    ],
)
def test_a_pod_says_why_in_one_line(status: dict[str, Any], says: str, failed: bool) -> None:
    state = pod_state(pod(status), "trial")
    assert state.reason.startswith(says)
    assert bool(state.reason) == bool(says)
    assert state.failed == failed
    assert "\n" not in state.reason


@pytest.mark.parametrize(
    ("status", "short"),
    [
        (ended(137, reason="OOMKilled"), True),
        (ended(137, reason="Error"), True),
        (ended(3), True),
        (ended(1), False),
        (ended(143), False),
        (EVICTED, False),
        ({**EVICTED, **ended(137)}, False),
        (ended(0), False),
    ],
)
def test_whether_a_training_did_not_fit(status: dict[str, Any], short: bool) -> None:
    assert pod_state(pod(status), "trial").out_of_memory == short


def test_a_pod_that_cannot_be_made_says_its_last_warning() -> None:
    events = [
        event(type="Warning", reason="FailedMount", message='configmap "pipeline-config" not found'),
        event(type="Normal", reason="Scheduled", message="assigned"),
    ]
    state = pod_state(pod(waiting("ContainerCreating")), "trial", events)
    assert state.reason == 'FailedMount: configmap "pipeline-config" not found'


def test_the_last_words_in_the_collector_s_log_are_the_trial_s() -> None:
    repeats = "I1125 06:00:00.000000      13 main.go:143] "
    fails = "F1125 06:00:01.000000      13 main.go:452] Failed to wait for worker container\ngoroutine 1 [running]:\n"
    assert last_words(f"{repeats}06:00:00 evaluating\n{repeats}no such file\n{repeats}\n{fails}") == "no such file"


def test_the_last_words_of_a_plain_log_are_its_last_line() -> None:
    assert last_words("training\nno such file\n\n") == "no such file"


def beside(primary: dict[str, Any], **state: Any) -> dict[str, Any]:
    """A pod whose trial stands as `primary` does, and whose collector is in this state."""
    collector = {**container(**state)[0], "name": COLLECTOR}
    return {**primary, "containerStatuses": [*primary["containerStatuses"], collector]}


DIED = {"exitCode": 255, "reason": "Error"}


@pytest.mark.parametrize(
    ("status", "says", "code"),
    [
        (beside(ended(0), terminated=DIED), "Katib's collector failed, so no metric arrives (exit code 255)", 0),
        (beside({"containerStatuses": container(running={})}, terminated=DIED), "Katib's collector failed", None),
        (beside(ended(2), terminated=DIED), "the request is wrong", 2),
        (beside(ended(0), terminated={"exitCode": 0}), "", 0),
        (beside({"containerStatuses": container(running={})}, waiting={"reason": "ErrImagePull", "message": "no"}),
         "Katib's collector: the image cannot be pulled: no", None),
    ],
)  # fmt: skip
def test_a_collector_that_died_is_named(status: dict[str, Any], says: str, code: int | None) -> None:
    state = pod_state(pod(status), "trial")
    assert state.reason.startswith(says)
    assert bool(state.reason) == bool(says)
    assert state.exit_code == code


def test_the_collector_s_own_complaint_stands_above_its_trace() -> None:
    log = (
        "I1125 06:00:00.000000      13 main.go:143] 2026-11-25T06:00:00Z mAP=0.3\n"
        "F1125 06:00:01.000000      13 main.go:457] Failed to Report logs: rpc error: code = Unavailable\n"
        "goroutine 1 [running]:\nmain.main()\n"
    )
    assert collector_fault(log) == "Failed to Report logs: rpc error: code = Unavailable"
    assert collector_fault("I1125 06:00:00.000000      13 main.go:143] all is well\n") == ""


def test_a_service_that_does_not_run_says_why() -> None:
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    service = {**container(waiting={"reason": "CrashLoopBackOff"})[0], "lastState": ended}
    crashing = {"containerStatuses": [service]}
    assert service_state(pod(crashing)).startswith("its container trial ended: out of memory")
    running = {"containerStatuses": [{**service, "ready": True, "state": {"running": {}}}]}
    assert service_state(pod(running)) == ""
    assert service_state(pod(waiting("ErrImagePull", "no"))) == "the image cannot be pulled: no"
    assert service_state(pod(UNSCHEDULABLE)).startswith("waits for a node: 0/1 nodes")
