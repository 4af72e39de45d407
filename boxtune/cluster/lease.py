"""The lease of a search: says that somebody still waits for the Experiment; where nobody renews it, it may be ended.

A Lease (coordination.k8s.io/v1) of the Experiment's name beside it, owned by it. A pipeline that was terminated tells
its steps nothing, so an Experiment that nobody waits for any more is known by its lease alone.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from boxtune.cluster.connection import GROUP, VERSION, Cluster, optional, speaking_plainly

if TYPE_CHECKING:
    from kubernetes.client import CoordinationV1Api, V1Lease

LEASE_SECONDS = 900
RENEWAL_SECONDS = 60.0
LABEL = "app.kubernetes.io/component=search-lease"
_LABELS = {"app.kubernetes.io/part-of": "boxtune", "app.kubernetes.io/component": "search-lease"}


@dataclass(frozen=True)
class FoundLease:
    """A lease as it stands.

    Attributes:
        name: the Experiment's.
        holder: who renewed it last.
        expired: since when nobody has held it; in the future where somebody does.
    """

    name: str
    holder: str
    expired: datetime


def renew(cluster: Cluster, experiment: str, uid: str) -> None:
    """Hold the Experiment for another LEASE_SECONDS; the lease is made where it is missing.

    Args:
        uid: the Experiment's.

    Raises:
        ClusterError: it may not be written.
    """
    leases = _leases(cluster)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    holder = os.environ.get("KFP_POD_NAME") or socket.gethostname()
    spec: dict[str, Any] = {"holderIdentity": holder, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now}
    with speaking_plainly(cluster):
        patch = partial(leases.patch_namespaced_lease, experiment, cluster.namespace, {"spec": spec})
        if optional(patch) is not None:
            return
        owner = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Experiment", "name": experiment, "uid": uid}
        metadata = {"name": experiment, "labels": _LABELS, "ownerReferences": [owner]}
        body = {"metadata": metadata, "spec": {**spec, "acquireTime": now}}
        leases.create_namespaced_lease(cluster.namespace, body)


def release(cluster: Cluster, experiment: str) -> None:
    """Give the lease up: the search is over. One that is gone is no matter.

    Raises:
        ClusterError: it may not be deleted.
    """
    with speaking_plainly(cluster):
        optional(partial(_leases(cluster).delete_namespaced_lease, experiment, cluster.namespace))


def found_leases(cluster: Cluster) -> list[FoundLease]:
    """All searches' leases of the namespace, by name.

    Raises:
        ClusterError: they may not be listed.
    """
    with speaking_plainly(cluster):
        listed = _leases(cluster).list_namespaced_lease(cluster.namespace, label_selector=LABEL)
    return sorted((_found(each) for each in listed.items), key=lambda each: each.name)


def _found(lease: V1Lease) -> FoundLease:
    spec = lease.spec
    renewed = spec.renew_time or lease.metadata.creation_timestamp
    ends = renewed + timedelta(seconds=spec.lease_duration_seconds or LEASE_SECONDS)
    return FoundLease(lease.metadata.name, spec.holder_identity or "nobody known", ends)


def _leases(cluster: Cluster) -> CoordinationV1Api:
    from kubernetes import client

    return client.CoordinationV1Api(cluster.core.api_client)
