"""Ending an Experiment before its end: one by its name, or all that nobody waits for any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from boxtune.cluster.config_maps import delete_config_map, made_config_maps
from boxtune.cluster.connection import GROUP, VERSION, Cluster, optional, speaking_plainly
from boxtune.cluster.fetching import EXPERIMENT_LABEL
from boxtune.cluster.lease import found_leases
from boxtune.cluster.pods import JOB_LABEL, TRIAL_LABEL
from boxtune.cluster.repeats import repeat_jobs
from boxtune.errors import ClusterError
from boxtune.experiment.source import JsonObject
from boxtune.runs.run import RunCondition
from boxtune.runs.trial import baseline_name

if TYPE_CHECKING:
    from kubernetes.client import V1Pod

_GONE_SECONDS, _LOOK_SECONDS = 120.0, 1.0


def cancel(cluster: Cluster, name: str) -> list[str]:
    """Delete the Experiment, its trials with it, the Jobs of its baseline and of its repeats, and the ConfigMaps that
    were submitted with it.

    Returns:
        What was deleted, a line each; Katib and Kubernetes may still be at it (`wait_until_gone`).

    Raises:
        ClusterError: there is no such Experiment.
    """
    baseline, raw = baseline_name(name), cluster.experiment(name)
    config_maps = made_config_maps(cluster, raw) if raw is not None else []
    repeats = [each.metadata.name for each in repeat_jobs(cluster, name)]
    background = {"propagation_policy": "Background"}
    with speaking_plainly(cluster):
        gone = optional(
            lambda: cluster.custom.delete_namespaced_custom_object(
                GROUP, VERSION, cluster.namespace, "experiments", name, **background
            )
        )
        jobs = [
            each
            for each in (baseline, *repeats)
            if optional(partial(cluster.batch.delete_namespaced_job, each, cluster.namespace, **background)) is not None
        ]
    if gone is None and not jobs:
        raise ClusterError(f"{name}: no Experiment in the namespace {cluster.namespace} of {cluster.server}")
    return [
        *([f"experiment/{name} deleted, and its trials"] if gone is not None else []),
        *(f"job/{each} deleted" for each in jobs),
        *(delete_config_map(cluster, each) for each in config_maps),
    ]


def wait_until_gone(cluster: Cluster, name: str, notice: Callable[[str], None]) -> None:
    """Return once nothing is left of a deleted Experiment: another of its name would count its trials as its own, and
    its pods hold their GPUs until they have ended.

    Args:
        notice: takes what is waited for, a line each time that it changes.

    Raises:
        ClusterError: no rights, or something of it is still there two minutes after its pods must have ended.
    """
    grace = max((each.spec.termination_grace_period_seconds or 0 for each in _pods(cluster, name)), default=0)
    seconds, said = _GONE_SECONDS + grace, ""
    deadline = time.monotonic() + seconds
    while left := _left_of(cluster, name):
        if time.monotonic() > deadline:
            raise ClusterError(
                f"the Experiment {name} was deleted, and {left} is still in the namespace {cluster.namespace} after "
                f"{seconds:.0f} s; does Katib's controller run? kubectl get pods -n kubeflow"
            )
        if left != said:
            notice(f"waiting until {left} is gone")
            said = left
        time.sleep(_LOOK_SECONDS)


def cancel_and_wait(cluster: Cluster, name: str, notice: Callable[[str], None]) -> None:
    """Delete the Experiment as `cancel` does, and wait as `wait_until_gone` does.

    Raises:
        ClusterError: as they do.
    """
    cancel(cluster, name)
    wait_until_gone(cluster, name, notice)


def _pods(cluster: Cluster, name: str) -> list[V1Pod]:
    """Of its trials and its baseline; its suggestion service's may take their time."""
    labelled = cluster.pods(f"{EXPERIMENT_LABEL}={name}")
    trials = [pod for pod in labelled if TRIAL_LABEL in (pod.metadata.labels or {})]
    return [*trials, *cluster.pods(f"{JOB_LABEL}={baseline_name(name)}")]


def _left_of(cluster: Cluster, name: str) -> str:
    """Something that is left of an Experiment, as one says it; empty if nothing is."""
    if cluster.experiment(name) is not None:
        return "the Experiment itself"
    with speaking_plainly(cluster):
        if optional(partial(cluster.batch.read_namespaced_job, baseline_name(name), cluster.namespace)) is not None:
            return f"the Job {baseline_name(name)}"
        for job in repeat_jobs(cluster, name):
            return f"the Job {job.metadata.name}"
        suggestion = partial(
            cluster.custom.get_namespaced_custom_object, GROUP, VERSION, cluster.namespace, "suggestions", name
        )
        if optional(suggestion) is not None:
            return f"the Suggestion {name}"
    trials = cluster.listed("trials", f"{EXPERIMENT_LABEL}={name}")
    if trials:
        return f"the Trial {trials[0]['metadata']['name']}"
    pods = _pods(cluster, name)
    return f"the Pod {pods[0].metadata.name}" if pods else ""


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
