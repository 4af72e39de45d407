"""Ending an Experiment before its end: one by its name, or all that nobody waits for any more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from boxtune.cluster.baseline import baseline_name
from boxtune.cluster.connection import GROUP, VERSION, Cluster, optional, speaking_plainly
from boxtune.cluster.fetching import EXPERIMENT_LABEL
from boxtune.cluster.lease import found_leases
from boxtune.errors import ClusterError
from boxtune.experiment.source import JsonObject
from boxtune.runs.run import RunCondition

_GONE_SECONDS, _LOOK_SECONDS = 120.0, 1.0


def cancel(cluster: Cluster, name: str) -> list[str]:
    """Delete the Experiment, its trials with it, and its baseline's Job.

    Returns:
        What was deleted, a line each.

    Raises:
        ClusterError: there is no such Experiment.
    """
    baseline = baseline_name(name)
    background = {"propagation_policy": "Background"}
    with speaking_plainly(cluster):
        gone = optional(
            lambda: cluster.custom.delete_namespaced_custom_object(
                GROUP, VERSION, cluster.namespace, "experiments", name, **background
            )
        )
        job = optional(lambda: cluster.batch.delete_namespaced_job(baseline, cluster.namespace, **background))
    if gone is None and job is None:
        raise ClusterError(f"{name}: no Experiment in the namespace {cluster.namespace} of {cluster.server}")
    return [
        *([f"experiment/{name} deleted, and its trials"] if gone is not None else []),
        *([f"job/{baseline} deleted"] if job is not None else []),
    ]


def cancel_and_wait(cluster: Cluster, name: str) -> None:
    """Delete the Experiment as `cancel` does, and wait until nothing of it is left that another of its name counts.

    Raises:
        ClusterError: there is no such Experiment, no rights, or something of it is still there after two minutes.
    """
    cancel(cluster, name)
    deadline = time.monotonic() + _GONE_SECONDS
    while left := _left_of(cluster, name):
        if time.monotonic() > deadline:
            raise ClusterError(
                f"the Experiment {name} was deleted, and its {left} is still in the namespace {cluster.namespace} "
                f"after {_GONE_SECONDS:.0f} s; look at what keeps it (its finalizers), and start the step again"
            )
        time.sleep(_LOOK_SECONDS)


def _left_of(cluster: Cluster, name: str) -> str:
    """The kind of something that is left of an Experiment; empty if nothing is."""
    if cluster.experiment(name) is not None:
        return "Experiment"
    with speaking_plainly(cluster):
        if optional(partial(cluster.batch.read_namespaced_job, baseline_name(name), cluster.namespace)) is not None:
            return "baseline's Job"
        suggestion = partial(
            cluster.custom.get_namespaced_custom_object, GROUP, VERSION, cluster.namespace, "suggestions", name
        )
        if optional(suggestion) is not None:
            return "Suggestion"
    return "last Trial" if cluster.listed("trials", f"{EXPERIMENT_LABEL}={name}") else ""


def has_failed(raw: JsonObject | None) -> bool:
    """Whether an Experiment as the cluster has it is over, and failed."""
    conditions = ((raw or {}).get("status") or {}).get("conditions") or ()
    return any(each["type"] == RunCondition.FAILED and each["status"] == "True" for each in conditions)


def cancel_stale(cluster: Cluster, older: timedelta, dry_run: bool) -> Iterator[str]:
    """Delete the Experiments whose lease has expired, as `cancel` does; those that are over stay, with what they found.

    Args:
        older: for how long a lease must have been expired.
        dry_run: delete nothing.

    Yields:
        What was done, a line each.

    Raises:
        ClusterError: no rights.
    """
    now = datetime.now(UTC)
    for lease in found_leases(cluster):
        if lease.expired + older > now:
            continue
        since = lease.expired.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        why = f"{lease.name}: nobody has waited for it since {since} ({lease.holder} did)"
        raw = cluster.experiment(lease.name)
        if raw is None or _is_over(raw):
            yield f"{why}; it is {'gone' if raw is None else 'over, and stays'}"
        elif dry_run:
            yield f"{why}; it would be ended (dry run)"
        else:
            yield why
            yield from cancel(cluster, lease.name)


def _is_over(raw: JsonObject) -> bool:
    return bool((raw.get("status") or {}).get("completionTime"))
