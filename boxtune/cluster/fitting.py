"""Whether a trial's pod fits a node at all: what it asks for, beside what the nodes of the cluster have in all.

What other pods have taken is not looked at: they end. Source for what a pod asks for: `resourcehelper.PodRequests` of
Kubernetes (`component-helpers/resource`); for Katib's collector: `pkg/apis/config/v1beta1/defaults.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from boxtune.cluster.connection import Cluster, speaking_plainly
from boxtune.errors import ClusterError
from boxtune.experiment.job import Container, PodSpec

if TYPE_CHECKING:
    from kubeflow_katib_api.models import IoK8sApiCoreV1Toleration
    from kubernetes.client import V1Node, V1Taint

Amounts = Mapping[str, Decimal]
_COLLECTOR: Amounts = {"cpu": Decimal("0.05"), "memory": Decimal(10 * 2**20), "ephemeral-storage": Decimal(500 * 2**20)}
_BYTES = ("memory", "ephemeral-storage")
_KEEPS_AWAY = ("NoSchedule", "NoExecute")


def misfit(cluster: Cluster, pod: PodSpec) -> str:
    """Why no node can take a trial's pod, whatever else runs there; empty where one can, or nodes may not be listed."""
    try:
        with speaking_plainly(cluster):
            nodes: list[V1Node] = cluster.core.list_node().items
    except ClusterError:
        return ""
    allowed = [node for node in nodes if _lets_in(node, pod)]
    if not allowed:
        return _nowhere(nodes, pod)
    asked = _asked(pod)
    lacks = [_lacking(node, asked) for node in allowed]
    if not all(lacks):
        return ""
    short = [name for name in asked if all(name in each for each in lacks)]
    if not short:
        return f"trials ask for {_listed(asked, asked)} together, and no node has all of it"
    most = {name: max(_amount(node, name) for node in allowed) for name in short}
    of_those = "" if len(allowed) == len(nodes) else " that its selector and tolerations allow"
    return f"trials ask for {_listed(asked, short)}, and no node{of_those} has more than {_listed(most, short)}"


def _nowhere(nodes: Sequence[V1Node], pod: PodSpec) -> str:
    if not nodes:
        return ""
    selector = ", ".join(f"{key}={value}" for key, value in (pod.node_selector or {}).items())
    if selector and not any(_is_selected(node, pod) for node in nodes):
        return f"no node takes the trials' pods: none has the labels of their nodeSelector, {selector}"
    return "no node takes the trials' pods: each that their nodeSelector allows has a taint that they do not tolerate"


def _lets_in(node: V1Node, pod: PodSpec) -> bool:
    """Whether the pod's selector and the node's taints let it on the node; a node that is cordoned has a taint, too."""
    if not _is_selected(node, pod):
        return False
    taints = [each for each in node.spec.taints or () if each.effect in _KEEPS_AWAY]
    return all(any(_tolerates(given, taint) for given in pod.tolerations or ()) for taint in taints)


def _is_selected(node: V1Node, pod: PodSpec) -> bool:
    labels = node.metadata.labels or {}
    return all(labels.get(key) == value for key, value in (pod.node_selector or {}).items())


def _tolerates(given: IoK8sApiCoreV1Toleration, taint: V1Taint) -> bool:
    if given.effect and given.effect != taint.effect:
        return False
    if given.key and given.key != taint.key:
        return False
    return given.operator == "Exists" or (bool(given.key) and (given.value or "") == (taint.value or ""))


def _asked(pod: PodSpec) -> Amounts:
    """What the scheduler looks for: the containers' requests together with the collector's, or the largest of an init
    container's.
    """
    together = _sum([*(_requests(each) for each in pod.containers), _COLLECTOR])
    alone = [_requests(each) for each in pod.init_containers or ()]
    names = dict.fromkeys(name for each in (together, *alone) for name in each)
    most = {name: max(each.get(name, Decimal(0)) for each in (together, *alone)) for name in names}
    return {name: amount for name, amount in most.items() if amount}


def _requests(container: Container) -> Amounts:
    """A container's requests; a limit without one is one."""
    from kubernetes.utils.quantity import parse_quantity

    resources = container.resources
    given = {**((resources.limits if resources else None) or {}), **((resources.requests if resources else None) or {})}
    texts = {name: str(amount.actual_instance) for name, amount in given.items()}
    return {name: parse_quantity(text) for name, text in texts.items() if "${" not in text}


def _sum(amounts: Iterable[Amounts]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for each in amounts:
        for name, amount in each.items():
            total[name] = total.get(name, Decimal(0)) + amount
    return total


def _amount(node: V1Node, name: str) -> Decimal:
    from kubernetes.utils.quantity import parse_quantity

    return Decimal(parse_quantity((node.status.allocatable or {}).get(name, "0")))


def _lacking(node: V1Node, asked: Amounts) -> list[str]:
    return [name for name, amount in asked.items() if _amount(node, name) < amount]


def _listed(amounts: Amounts, names: Iterable[str]) -> str:
    return " and ".join(_named(name, amounts[name]) for name in names)


def _named(name: str, amount: Decimal) -> str:
    """`6.5Gi of memory`, `2.05 cpu`, `1 nvidia.com/gpu`."""
    if name in _BYTES:
        return f"{amount / 2**30:.3g}Gi of {name}"
    return f"{amount.normalize():f} {name}"
