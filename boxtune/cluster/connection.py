"""The connection to a cluster: credentials, the namespace, and its errors in one line each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from boxtune.errors import ClusterError, Unreachable
from boxtune.experiment.source import JsonObject
from trial_entry.errors import first_line

if TYPE_CHECKING:
    from kubernetes.client import ApiException, BatchV1Api, CoreV1Api, CustomObjectsApi, V1Pod

GROUP, VERSION = "kubeflow.org", "v1beta1"
_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_SECONDS = 30.0  # for one answer
Found = TypeVar("Found")


@dataclass(frozen=True)
class Cluster:
    """A cluster, and the namespace in it.

    Attributes:
        namespace: where all is looked up.
        core, batch, custom: the API's parts.
        server: its address, for messages.
        role: that has all rights that are needed, for messages.
    """

    namespace: str
    core: CoreV1Api
    batch: BatchV1Api
    custom: CustomObjectsApi
    server: str
    role: str = "boxtune-user in manifests/base"

    def experiment(self, name: str) -> JsonObject | None:
        """The Experiment of this name, or None."""
        with speaking_plainly(self):
            found: JsonObject | None = optional(
                lambda: self.custom.get_namespaced_custom_object(
                    GROUP, VERSION, self.namespace, "experiments", name, _request_timeout=_SECONDS
                )
            )
        return found

    def listed(self, plural: str, selector: str) -> list[JsonObject]:
        """Katib's objects of one kind with these labels."""
        with speaking_plainly(self):
            found = self.custom.list_namespaced_custom_object(
                GROUP, VERSION, self.namespace, plural, label_selector=selector, _request_timeout=_SECONDS
            )
        return list(found["items"])

    def pods(self, selector: str) -> list[V1Pod]:
        """Pods with these labels."""
        with speaking_plainly(self):
            found = self.core.list_namespaced_pod(self.namespace, label_selector=selector, _request_timeout=_SECONDS)
        return list(found.items)


def connect(context: str | None, namespace: str | None, fallback: str | None = None) -> Cluster:
    """The cluster of the kubeconfig (KUBECONFIG, ~/.kube/config), or the one that this process runs in.

    Args:
        context: of the kubeconfig; its current one, if left out.
        namespace: where to look; if left out, `fallback`, else the context's own.

    Raises:
        ClusterError: no client installed, no configuration, no such context.
    """
    try:
        from kubernetes import client, config
    except ImportError:
        raise ClusterError(
            "the kubernetes package is missing; install it with: pip install 'boxtune[cluster]'"
        ) from None
    settings = client.Configuration()
    settings.retries = 1  # a connection that was closed while it was idle; whoever can wait does so by `Unreachable`
    try:
        contexts, current = config.list_kube_config_contexts()
        chosen = _context(contexts, context) if context else current
        config.load_kube_config(context=context, client_configuration=settings)
        own = chosen["context"].get("namespace")
    except config.ConfigException as problem:
        if context or not is_in_pod():
            why = first_line(problem).rstrip(".")
            raise ClusterError(
                f"no cluster: {why}; set KUBECONFIG, or give --context, or use boxtune run, which needs none"
            ) from None
        config.load_incluster_config(client_configuration=settings)
        own = _OWN_NAMESPACE.read_text().strip()
    api = client.ApiClient(settings)
    return Cluster(
        namespace or fallback or own or "default",
        client.CoreV1Api(api),
        client.BatchV1Api(api),
        client.CustomObjectsApi(api),
        settings.host,
    )


def is_in_pod() -> bool:
    """Whether this process runs in a pod that may speak to its cluster."""
    return _OWN_NAMESPACE.is_file()


def _context(contexts: list[JsonObject], name: str) -> JsonObject:
    found = next((each for each in contexts if each["name"] == name), None)
    if found is None:
        names = ", ".join(each["name"] for each in contexts) or "none"
        raise ClusterError(f"--context {name}: the kubeconfig has no such context; it has {names}")
    return found


def optional(call: Callable[[], Found]) -> Found | None:
    """What `call` returns, or None where the object does not exist; a kind that does not exist is an error."""
    from kubernetes.client import ApiException

    try:
        return call()
    except ApiException as problem:
        if problem.status == HTTPStatus.NOT_FOUND and "details" in _status(problem):
            return None
        raise


@contextmanager
def speaking_plainly(cluster: Cluster) -> Iterator[None]:
    """Turn what the API and the network raise within into a ClusterError of one line.

    Raises:
        ClusterError: says what was refused and what to do; Unreachable where it did not answer, or with "later".
    """
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as problem:
        later = problem.status == HTTPStatus.TOO_MANY_REQUESTS or problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        raise (Unreachable if later else ClusterError)(_in_words(cluster, problem)) from None
    except (HTTPError, OSError) as problem:
        raise Unreachable(
            f"no cluster at {cluster.server}: {_cause(problem)}; is it up, and KUBECONFIG the right one?"
        ) from None


def _in_words(cluster: Cluster, problem: ApiException) -> str:
    message = _status(problem).get("message") or (problem.body or problem.reason or "").strip()
    if problem.status == HTTPStatus.UNAUTHORIZED:
        return f"{cluster.server} refuses these credentials; log in again, or give another --context"
    if (
        problem.status == HTTPStatus.FORBIDDEN
        and "denied the request" not in message
        and "violates PodSecurity" not in message
    ):
        return f"no rights: {message}; the Role {cluster.role} has all that Boxtune needs"
    if problem.status == HTTPStatus.NOT_FOUND and "details" not in _status(problem):
        return (
            f"no Katib on {cluster.server}: it does not know experiments.{GROUP}/{VERSION}; kind-cluster/README.md "
            "says how to install it"
        )
    line = " ".join(str(message).split())
    if "failed calling webhook" in line and "katib.kubeflow.org" in line:
        return f"Katib's controller does not answer; its pod's events say why (docs/troubleshooting.md): {line}"
    return line


def _status(problem: ApiException) -> JsonObject:
    try:
        found = json.loads(problem.body or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _cause(problem: Exception) -> str:
    inner = getattr(problem, "reason", None) or problem
    return first_line(inner).rpartition(": ")[2] or type(problem).__name__
