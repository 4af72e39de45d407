"""kubectl, for what the tests do to a cluster as its administrator."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

TIME_LIMIT = 1200.0


def kubectl(*arguments: str, given: str | None = None) -> str:
    """Its output; fails with its error."""
    done = subprocess.run(["kubectl", *arguments], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def succeeds(*arguments: str) -> bool:
    """Whether it ends with 0."""
    return subprocess.run(["kubectl", *arguments], capture_output=True, check=False).returncode == 0


def kubectl_json(*arguments: str) -> Any:
    """Its output as JSON."""
    return json.loads(kubectl(*arguments, "-o", "json"))


def evict(namespace: str, pod: str) -> None:
    """Have it taken away as from a node that goes."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
    kubectl("create", "--raw", path, "-f", "-", given=json.dumps(eviction))


def wait_for(what: str, condition: Callable[[], Any], seconds: float = TIME_LIMIT) -> Any:
    """What `condition` returns once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: waited {seconds:.0f} s in vain"
        time.sleep(0.5)
    return found


def wait_for_one_of(kinds: Sequence[str], what: str, status: Callable[[], Mapping[str, Any]]) -> str:
    """The first of these conditions that `status` has, once it has one."""

    def found() -> str:
        true = {each["type"] for each in status().get("conditions") or () if each["status"] == "True"}
        return next((kind for kind in kinds if kind in true), "")

    return str(wait_for(what, found))
