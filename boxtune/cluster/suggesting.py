"""Why Katib makes no trial: what keeps its controller, or the service that suggests an Experiment's assignments."""

from __future__ import annotations

from boxtune.cluster.connection import Cluster
from boxtune.cluster.events import events_about, refusals
from boxtune.cluster.reasons import one_line, service_state
from boxtune.experiment.source import JsonObject

SUGGESTION_LABEL = "katib.kubeflow.org/suggestion"


def why_no_trial(cluster: Cluster, raw: JsonObject) -> str:
    """Why an Experiment that is not over has no trial to wait for, in one line; empty where nothing is known.

    Args:
        raw: the Experiment, as the cluster has it.

    Raises:
        ClusterError: no rights, or the cluster does not answer.
    """
    if not (raw.get("status") or {}).get("conditions"):
        return "Katib's controller has not looked at it yet; does it run? kubectl get pods -n kubeflow"
    name = raw["metadata"]["name"]
    algorithm = ((raw["spec"].get("algorithm") or {}).get("algorithmName")) or ""
    what = f"Katib's suggestion service ({algorithm})"
    pods = [pod for pod in cluster.pods(f"{SUGGESTION_LABEL}={name}") if pod.metadata.deletion_timestamp is None]
    for pod in pods:
        why = service_state(pod) or (
            service_state(pod, events_about(cluster, pod.metadata.name)) if pod.status.phase == "Pending" else ""
        )
        if why:
            return f"{what}: {why}"
    refused = refusals(cluster, "ReplicaSet", f"{name}-{algorithm}-") if not pods else []
    return f"{what} has no pod: {one_line(refused[-1].message)}" if refused else ""
