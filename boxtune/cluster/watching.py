"""Following an Experiment until it is over, through dropped connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from boxtune.cluster.connection import GROUP, VERSION, Cluster
from boxtune.cluster.fetching import Fetcher
from boxtune.cluster.pods import JOB_LABEL
from boxtune.errors import Unreachable
from boxtune.runs.run import Run

if TYPE_CHECKING:
    from kubernetes.watch import Watch

_LOOK_SECONDS = 5  # trials and the Experiment themselves; what happens to a pod is seen at once
_LATE_SECONDS = 15.0  # after the server should have ended a watch
_PATIENCE_SECONDS = 300.0  # of a cluster that does not answer
Done = TypeVar("Done")


def watch(
    cluster: Cluster,
    fetcher: Fetcher,
    changed: Callable[[Run], None],
    notice: Callable[[str], None],
    wait: Callable[[Run], None] | None = None,
    patience: float | None = None,
) -> Run:
    """Call `changed` with the run as it goes on; returns it once it is over, its baseline included.

    Everything is fetched anew after each of a pod's changes, so an expired resource version costs nothing.

    Args:
        notice: takes what the user should know: that the connection was lost, and is there again.
        wait: returns when it is time for another look; if left out, when something happens to a pod, every few seconds.
        patience: seconds for which the cluster may be away; if left out, five minutes once it has answered.

    Raises:
        ClusterError: the Experiment is gone, or the cluster did not answer for longer.
    """
    lost: float | None = None
    seen: Run | None = None
    while True:
        try:
            run = fetcher.fetch()
        except Unreachable as error:
            lost = _patient(lost, error, notice, patience, seen is not None)
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
        if wait is None:
            wait_for_a_pod(cluster)
        else:
            wait(run)


def patiently(call: Callable[[], Done], patience: float, notice: Callable[[str], None]) -> Done:
    """What `call` returns, which can be made again, once the cluster answers.

    Args:
        patience: seconds for which the cluster may be away.
        notice: as of `watch`.

    Raises:
        ClusterError: as `call`; Unreachable where the cluster was away for longer.
    """
    begun, is_said = time.monotonic(), False
    while True:
        try:
            return call()
        except Unreachable as error:
            if time.monotonic() - begun > patience:
                raise
            if not is_said:
                notice(f"{error}; trying again")
                is_said = True
        time.sleep(_LOOK_SECONDS)


def _patient(
    lost: float | None, error: Unreachable, notice: Callable[[str], None], patience: float | None, was_there: bool
) -> float:
    """Since when the cluster does not answer; raises `error` where it has not for long, or never did and nobody asked
    for patience.
    """
    now, most = time.monotonic(), _PATIENCE_SECONDS if patience is None else patience
    if (patience is None and not was_there) or (lost is not None and now - lost > most):
        raise error
    if lost is None:
        notice(f"{error}; trying again")
    return lost or now


def wait_for_a_pod(cluster: Cluster) -> None:
    """Until something happens to a trial's pod, for a few seconds at most; what goes wrong shows at the next look."""

    def streams(events: Watch) -> Iterator[object]:
        pods = partial(cluster.core.list_namespaced_pod, cluster.namespace, label_selector=JOB_LABEL)
        version = pods(limit=1).metadata.resource_version
        return _stream(events, pods, version, _LOOK_SECONDS)

    _first_of(streams)


def wait_for_experiment(cluster: Cluster, name: str, version: str, seconds: float) -> None:
    """Until the Experiment is another than the one of this version, which changes with each of its trials; for a while
    at most. One connection that nothing comes through: cheap for hours.
    """

    def streams(events: Watch) -> Iterator[object]:
        experiments = partial(
            cluster.custom.list_namespaced_custom_object,
            GROUP,
            VERSION,
            cluster.namespace,
            "experiments",
            field_selector=f"metadata.name={name}",
        )
        return _stream(events, experiments, version, max(1, round(seconds)))

    _first_of(streams)


def _stream(events: Watch, listed: Callable[..., object], version: str, seconds: float) -> Iterator[object]:
    found: Iterator[object] = events.stream(
        listed,
        resource_version=version,
        timeout_seconds=seconds,
        _request_timeout=seconds + _LATE_SECONDS,
    )
    return found


def _first_of(streams: Callable[[Watch], Iterator[object]]) -> None:
    """Return at the first event, or at the end; what goes wrong shows at the next look."""
    from kubernetes.client import ApiException
    from kubernetes.watch import Watch
    from urllib3.exceptions import HTTPError

    events = Watch()
    try:
        next(streams(events), None)
    except (ApiException, HTTPError, OSError):
        time.sleep(1.0)
    finally:
        events.stop()
