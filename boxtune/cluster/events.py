"""Cluster's events: what happened to an object."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from boxtune.cluster.connection import Cluster, speaking_plainly

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Event

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def events_about(cluster: Cluster, name: str, kind: str = "") -> list[CoreV1Event]:
    """What happened to the objects of this name, oldest first.

    Args:
        kind: of the object; empty for any.

    Raises:
        ClusterError: no rights, or the cluster does not answer.
    """
    return [each for each in _sorted(cluster, f"involvedObject.name={name}") if _is_of(each, kind)]


def refusals(cluster: Cluster, kind: str, prefix: str) -> list[CoreV1Event]:
    """Why objects of this kind, whose names begin so, could not make their pods, oldest first.

    Raises:
        ClusterError: no rights, or the cluster does not answer.
    """
    found = _sorted(cluster, "reason=FailedCreate")
    return [each for each in found if _is_of(each, kind) and each.involved_object.name.startswith(prefix)]


def _sorted(cluster: Cluster, selector: str) -> list[CoreV1Event]:
    with speaking_plainly(cluster):
        found = cluster.core.list_namespaced_event(cluster.namespace, field_selector=selector)
    return sorted(found.items, key=lambda each: each.last_timestamp or each.event_time or _LONG_AGO)


def _is_of(event: CoreV1Event, kind: str) -> bool:
    return kind in ("", event.involved_object.kind)
