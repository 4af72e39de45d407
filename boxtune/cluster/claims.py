"""Cluster's claims: which ones trials mount, and why one has no volume yet."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from boxtune.cluster.connection import Cluster, optional, speaking_plainly
from boxtune.cluster.events import events_about
from boxtune.cluster.reasons import one_line
from boxtune.experiment.template import TrialTemplate

_NORMAL = "WaitForFirstConsumer"  # the reason of an event: such a claim gets its volume when a pod mounts it


def mounted_claims(template: TrialTemplate) -> Mapping[str, str]:
    """Claim by the volume of a trial's pod that mounts it; nothing of trials that are no plain Job, nor of claims that
    are another's for each trial.
    """
    volumes = (template.job.pod.volumes if template.job is not None else None) or ()
    claims = {
        volume.name: volume.persistent_volume_claim.claim_name
        for volume in volumes
        if volume.persistent_volume_claim is not None
    }
    return {name: claim for name, claim in claims.items() if "${" not in claim}


def why_unbound(cluster: Cluster, claim: str) -> str:
    """Why pods that mount this claim cannot start yet, in one line; empty where nothing is known to keep them.

    Raises:
        ClusterError: no rights, or the cluster does not answer.
    """
    with speaking_plainly(cluster):
        found = optional(partial(cluster.core.read_namespaced_persistent_volume_claim, claim, cluster.namespace))
    if found is None:
        return f"the claim {claim} is not there; kubectl apply -k manifests/base makes those of Boxtune's Experiments"
    if found.status.phase != "Pending":
        return ""
    events = events_about(cluster, claim, "PersistentVolumeClaim")
    if not events or events[-1].reason == _NORMAL:
        return ""
    return (
        f"the claim {claim} has no volume: {one_line(events[-1].message)}; the cluster needs a default "
        "StorageClass, or a PersistentVolume that fits (kind-cluster/README.md)"
    )
