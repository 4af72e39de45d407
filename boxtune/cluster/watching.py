"""Following an Experiment until it is over, through dropped connections."""

from __future__ import annotations

import time
from collections.abc import Callable

from boxtune.cluster.connection import Cluster
from boxtune.cluster.fetching import Fetcher
from boxtune.cluster.pods import JOB_LABEL
from boxtune.errors import Unreachable
from boxtune.runs.run import Run

_LOOK_SECONDS = 5  # trials and the Experiment themselves; what happens to a pod is seen at once
_PATIENCE_SECONDS = 300.0  # of a cluster that does not answer


def watch(cluster: Cluster, fetcher: Fetcher, changed: Callable[[Run], None], notice: Callable[[str], None]) -> Run:
    """Call `changed` with the run as it goes on; returns it once it is over, its baseline included.

    Everything is fetched anew after each of a pod's changes, so an expired resource version costs nothing.

    Args:
        notice: takes what the user should know: that the connection was lost, and is there again.

    Raises:
        ClusterError: the Experiment is gone, or the cluster did not answer for five minutes.
    """
    lost: float | None = None
    seen: Run | None = None
    while True:
        try:
            run = fetcher.fetch()
        except Unreachable as error:
            lost = _patient(lost, seen, error, notice)
            time.sleep(_LOOK_SECONDS)
            continue
        if lost is not None:
            notice("the cluster answers again")
            lost = None
        if run != seen:
            changed(run)
            seen = run
        if run.ended and all(trial.condition.ended for trial in run.everything):
            return run
        _wait_for_a_pod(cluster)


def _patient(lost: float | None, seen: Run | None, error: Unreachable, notice: Callable[[str], None]) -> float:
    """Since when the cluster does not answer; raises `error` where it never did, or has not for long."""
    now = time.monotonic()
    if seen is None or (lost is not None and now - lost > _PATIENCE_SECONDS):
        raise error
    if lost is None:
        notice(f"{error}; trying again")
    return lost or now


def _wait_for_a_pod(cluster: Cluster) -> None:
    """Until something happens to a trial's pod, for a few seconds at most; what goes wrong shows at the next look."""
    from kubernetes.client import ApiException
    from kubernetes.watch import Watch
    from urllib3.exceptions import HTTPError

    events = Watch()
    try:
        version = cluster.core.list_namespaced_pod(cluster.namespace, label_selector=JOB_LABEL, limit=1)
        for _ in events.stream(
            cluster.core.list_namespaced_pod,
            cluster.namespace,
            label_selector=JOB_LABEL,
            resource_version=version.metadata.resource_version,
            timeout_seconds=_LOOK_SECONDS,
        ):
            return
    except (ApiException, HTTPError, OSError):
        time.sleep(1.0)
    finally:
        events.stop()
