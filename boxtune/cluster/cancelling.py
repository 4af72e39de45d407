"""Ending an Experiment before its end."""

from __future__ import annotations

from boxtune.cluster.baseline import baseline_name
from boxtune.cluster.connection import GROUP, VERSION, Cluster, optional, speaking_plainly
from boxtune.errors import ClusterError


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
