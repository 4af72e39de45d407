"""Following a run on a server to its end: each step's beginning and end, through answers that do not come."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from boxtune.errors import ClusterError, Unreachable
from pipelines.server import Server, speaking_plainly

if TYPE_CHECKING:
    from kfp_server_api import V2beta1PipelineTaskDetail, V2beta1Run

SUCCEEDED, FAILED, RUNNING, PENDING = "SUCCEEDED", "FAILED", "RUNNING", "PENDING"
_OVER = (SUCCEEDED, FAILED, "CANCELED", "SKIPPED")
_BEGUN = (SUCCEEDED, FAILED, RUNNING, "CANCELED")
_LOOK_SECONDS = 3.0
_PATIENCE_SECONDS = 300.0  # of a server that does not answer
_SECONDS = 30.0  # for one answer
# What a run's tasks are besides its steps: Argo's own nodes, and those of KFP that only hold others.
_EXECUTOR, _DRIVER = "executor", "-driver"
_NO_STEP = re.compile(rf"^(root|{_EXECUTOR}|.*{_DRIVER}|.*\(\d+\))$")
_EXECUTOR_TEMPLATE, _DRIVER_TEMPLATE = "system-container-impl", "system-container-driver"  # in a pod's name
_SAID = re.compile(r"^boxtune: (.*)$", re.MULTILINE)  # how a step ends that has failed
_KFP_SAID = re.compile(r"^F\d{4} [\d:.]+ +\d+ \S+\] (.*)$", re.MULTILINE)  # and KFP's programs around it
_PENDING_LOOKS = 20  # in which a pod may wait for its node and image before it is said


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
        pending: whether a step's pod waits for its node or image.
    """

    state: str
    error: str = ""
    steps: Mapping[str, Step] = field(default_factory=dict)
    pending: bool = False

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
    steps = [each for each in details if _is_step(each)]
    steps.sort(key=lambda each: each.create_time)
    begun = {each.display_name: _step(each) for each in steps if each.state in _BEGUN}
    pending = any(each.state == PENDING for each in details)
    error = found.error.message if found.error is not None else ""
    return RunState(found.state or PENDING, error or "", begun, pending)


def last_words(server: Server, run_id: str) -> list[str]:
    """What the pods of steps that failed said last, a line each; none where their logs are gone."""
    details = _details(_run(server, run_id))
    logs = [_log(server, run_id, pod) for pod in _failed_pods(details)]
    said = [_SAID.findall(log) or _KFP_SAID.findall(log) for log in logs]
    words = [lines[-1] for lines in said if lines]
    failed = [each.display_name for each in details if each.state == FAILED and _is_step(each)]
    return [f"{failed[0]}: {words[0]}"] if len(failed) == 1 and len(words) == 1 else words or failed


def _failed_pods(details: list[V2beta1PipelineTaskDetail]) -> list[str]:
    """The pods of steps that failed: their own, or KFP's driver's, which prepares them."""
    workflow = next((each.display_name for each in details if _is_workflow(each)), "")
    found: list[str] = []
    for each in details:
        name = each.display_name or ""
        template = _EXECUTOR_TEMPLATE if name == _EXECUTOR else _DRIVER_TEMPLATE if name.endswith(_DRIVER) else ""
        if template and each.state == FAILED:
            nodes = [child.pod_name.removeprefix(f"{workflow}-") for child in each.child_tasks or ()]
            found += [f"{workflow}-{template}-{node}" for node in nodes if node]
    return found


def _is_step(task: V2beta1PipelineTaskDetail) -> bool:
    return not _NO_STEP.match(task.display_name or _EXECUTOR) and not _is_workflow(task)


def _run(server: Server, run_id: str) -> V2beta1Run:
    with speaking_plainly(server.host):
        return server.runs.run_service_get_run(run_id, _request_timeout=_SECONDS)


def _details(run: V2beta1Run) -> list[V2beta1PipelineTaskDetail]:
    return list((run.run_details.task_details if run.run_details is not None else None) or ())


def _is_workflow(task: V2beta1PipelineTaskDetail) -> bool:
    """Whether it is Argo's own node of the whole run: its children's names begin with its name."""
    children = task.child_tasks or ()
    return any((child.pod_name or "").startswith(f"{task.display_name}-") for child in children)


def _step(task: V2beta1PipelineTaskDetail) -> Step:
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
        notice: takes what the user should know: that the server does not answer, and does again; that a pod waits.

    Raises:
        ClusterError: the run is gone, or the server did not answer for five minutes.
    """
    return _Follower(server, run_id, changed, notice).follow()


class _Follower:
    def __init__(
        self, server: Server, run_id: str, changed: Callable[[Step], None], notice: Callable[[str], None]
    ) -> None:
        self._server, self._run_id = server, run_id
        self._changed, self._notice = changed, notice
        self._states: dict[str, str] = {}
        self._pending = 0  # looks at which a pod waited, one after another
        self._lost: float | None = None

    def follow(self) -> RunState:
        while True:
            found = self._look()
            if found is not None:
                self._tell(found)
                if found.over:
                    return self._last()
            time.sleep(_LOOK_SECONDS)

    def _last(self) -> RunState:
        """The end: steps' states may come after the run's."""
        time.sleep(_LOOK_SECONDS)
        found = look(self._server, self._run_id)
        self._tell(found)
        return found

    def _look(self) -> RunState | None:
        """Where the run stands; None where the server does not answer, for now."""
        try:
            found = look(self._server, self._run_id)
        except Unreachable as problem:
            now = time.monotonic()
            if self._lost is None:
                self._lost = now
                self._notice(f"{problem}; trying again")
            if now - self._lost > _PATIENCE_SECONDS:
                raise
            return None
        if self._lost is not None:
            self._lost = None
            self._notice("the server answers again")
        return found

    def _tell(self, found: RunState) -> None:
        for name, step in found.steps.items():
            if self._states.get(name) != step.state:
                self._states[name] = step.state
                self._changed(step)
        self._pending = self._pending + 1 if found.pending else 0
        if self._pending == _PENDING_LOOKS:
            self._notice(
                "a step's pod has waited for a minute; kubectl get pods -n kubeflow (or your Profile's namespace) says "
                "for what: an image that cannot be had, a claim that is not there, no node with room"
            )
