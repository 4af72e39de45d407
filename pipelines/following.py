"""Following a run on a server to its end: each step's beginning and end, through answers that do not come."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from boxtune.errors import ClusterError, Unreachable
from pipelines.server import Server, speaking_plainly

SUCCEEDED, FAILED, RUNNING = "SUCCEEDED", "FAILED", "RUNNING"
_OVER = (SUCCEEDED, FAILED, "CANCELED", "SKIPPED")
_BEGUN = (SUCCEEDED, FAILED, RUNNING, "CANCELED")
_LOOK_SECONDS = 3.0
_PATIENCE_SECONDS = 300.0  # of a server that does not answer
_SECONDS = 30.0  # for one answer
# What a run's tasks are besides its steps: Argo's own nodes, and those of KFP that only hold others.
_EXECUTOR = "executor"
_NO_STEP = re.compile(rf"^(root|{_EXECUTOR}|.*-driver|.*\(\d+\))$")
_EXECUTOR_TEMPLATE = "system-container-impl"  # in the name of a step's pod
_SAID = re.compile(r"^boxtune: (.*)$", re.MULTILINE)  # how a step ends that has failed


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes:
        name: as in the pipeline.
        state: KFP's word.
        seconds: from its beginning to its end; 0 before.
    """

    name: str
    state: str
    seconds: float = 0.0

    @property
    def cached(self) -> bool:
        """Whether it took what an earlier run had made: no pod began."""
        return self.state == SUCCEEDED and self.seconds == 0


@dataclass(frozen=True)
class RunState:
    """Where a run stands.

    Attributes:
        state: KFP's word.
        error: what KFP says of a failure; often empty.
        steps: those that have begun, in that order.
    """

    state: str
    error: str = ""
    steps: Mapping[str, Step] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in _OVER


def look(server: Server, run_id: str) -> RunState:
    """Where a run stands.

    Raises:
        ClusterError: there is no such run; Unreachable where the server does not answer.
    """
    found = _run(server, run_id)
    details = _details(found)
    steps = [each for each in details if not _NO_STEP.match(each.display_name or _EXECUTOR) and not _is_workflow(each)]
    steps.sort(key=lambda each: each.create_time)
    begun = {each.display_name: _step(each) for each in steps if each.state in _BEGUN}
    return RunState(found.state or "PENDING", (found.error.message if found.error is not None else "") or "", begun)


def last_words(server: Server, run_id: str) -> list[str]:
    """What the pods of steps that failed said last, a line each; none where their logs are gone."""
    details = _details(_run(server, run_id))
    workflow = next((each.display_name for each in details if _is_workflow(each)), "")
    failed = [each for each in details if each.display_name == _EXECUTOR and each.state == FAILED]
    pods = [child.pod_name.removeprefix(f"{workflow}-") for each in failed for child in each.child_tasks or ()]
    logs = [_log(server, run_id, f"{workflow}-{_EXECUTOR_TEMPLATE}-{pod}") for pod in pods if pod]
    said = [_SAID.findall(log) for log in logs]
    return [lines[-1] for lines in said if lines]


def _run(server: Server, run_id: str) -> Any:
    with speaking_plainly(server.host):
        return server.runs.run_service_get_run(run_id, _request_timeout=_SECONDS)


def _details(run: Any) -> list[Any]:
    return list((run.run_details.task_details if run.run_details is not None else None) or ())


def _is_workflow(task: Any) -> bool:
    """Whether it is Argo's own node of the whole run: its children's names begin with its name."""
    children = task.child_tasks or ()
    return any((child.pod_name or "").startswith(f"{task.display_name}-") for child in children)


def _step(task: Any) -> Step:
    ended = task.end_time is not None and task.end_time.year > 1
    return Step(task.display_name, task.state, (task.end_time - task.start_time).total_seconds() if ended else 0.0)


def _log(server: Server, run_id: str, pod: str) -> str:
    """Of a pod; empty where it is gone. The one route of the API that has no client."""
    api = server.runs.api_client
    try:
        with speaking_plainly(server.host):
            answer = api.call_api(
                f"/apis/v1alpha1/runs/{run_id}/nodes/{pod}/log",
                "GET",
                auth_settings=["Bearer"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=_SECONDS,
            )
    except ClusterError:
        return ""
    return str(answer.data.decode(errors="replace"))


def follow(server: Server, run_id: str, changed: Callable[[Step], None], notice: Callable[[str], None]) -> RunState:
    """Call `changed` with each step that begins or ends; returns the run's state once it is over.

    Args:
        notice: takes what the user should know: that the server does not answer, and does again.

    Raises:
        ClusterError: the run is gone, or the server did not answer for five minutes.
    """
    seen: dict[str, Step] = {}
    lost: float | None = None
    while True:
        try:
            found = look(server, run_id)
        except Unreachable as problem:
            if lost is None:
                notice(f"{problem}; trying again")
            lost = lost or time.monotonic()
            if time.monotonic() - lost > _PATIENCE_SECONDS:
                raise
            time.sleep(_LOOK_SECONDS)
            continue
        if lost is not None:
            notice("the server answers again")
            lost = None
        for name, step in found.steps.items():
            before = seen.get(name)
            if before is None or before.state != step.state:
                seen[name] = step
                changed(step)
        if found.over:
            return found
        time.sleep(_LOOK_SECONDS)
