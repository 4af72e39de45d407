"""A Kubeflow Pipelines server: the connection, and what its API and the network raise in one line each."""

from __future__ import annotations

import json
import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from http import HTTPStatus
from io import StringIO
from typing import TYPE_CHECKING

from boxtune.errors import ClusterError, Unreachable
from trial_entry.errors import first_line

if TYPE_CHECKING:
    from kfp.client import Client
    from kfp_server_api import ApiException, RunServiceApi, V2beta1GetHealthzResponse

TOKEN_VARIABLE = "BOXTUNE_KFP_TOKEN"
HOST_VARIABLE = "KF_PIPELINES_ENDPOINT"  # kfp's own
_SECONDS = 30.0  # for one answer
_MISSING = re.compile(r"ResourceNotFoundError: (\w+) (\S+) not found")


@dataclass(frozen=True)
class Server:
    """A server, and the namespace in which its runs are.

    Attributes:
        host: its address, without a slash at the end.
        namespace: of a Profile; None where the server knows of none.
        client: kfp's own.
    """

    host: str
    namespace: str | None
    client: Client

    @property
    def runs(self) -> RunServiceApi:
        """The API of runs."""
        return self.client._run_api  # kfp's own methods print, and give up at the first answer that fails


def connect(host: str | None, namespace: str | None) -> Server:
    """The server at `host`, or where KF_PIPELINES_ENDPOINT says; a token is taken from BOXTUNE_KFP_TOKEN.

    Args:
        namespace: of a Profile; must be given where the server has many users, and not where it has one.

    Raises:
        ClusterError: no host, nobody there, no Kubeflow Pipelines of a version that has API v2beta1, no rights, or a
            namespace too many or too few.
    """
    from kfp.client import Client

    host = (host or os.environ.get(HOST_VARIABLE) or "").rstrip("/")
    if not host:
        raise ClusterError(
            f"no server: give --host http://…, or set {HOST_VARIABLE}; kubectl port-forward -n kubeflow "
            "svc/ml-pipeline 8888 makes it http://localhost:8888"
        )
    if "://" not in host:
        raise ClusterError(f"--host {host}: begins with http:// or https://")
    token = os.environ.get(TOKEN_VARIABLE)
    health = _health(host, token)  # kfp's client asks again and again, and says why by a traceback
    if health.multi_user and not namespace:
        raise ClusterError(f"{host} serves several Profiles: say whose by --namespace")
    if namespace and not health.multi_user:
        raise ClusterError(
            f"{host} runs all pipelines in one namespace, its own: leave --namespace out (-p namespace=NAME says where "
            "Katib searches)"
        )
    with speaking_plainly(host), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Server(host, namespace, Client(host=host, existing_token=token))


def _health(host: str, token: str | None) -> V2beta1GetHealthzResponse:
    from kfp_server_api import ApiClient, Configuration, HealthzServiceApi

    settings = Configuration(host=host)
    if token:
        settings.api_key["authorization"], settings.api_key_prefix["authorization"] = token, "Bearer"
    with speaking_plainly(host):
        found = HealthzServiceApi(ApiClient(settings)).healthz_service_get_healthz(_request_timeout=_SECONDS)
    if getattr(found, "multi_user", None) is None:  # a page to log in at, as a rule
        raise ClusterError(f"{host}: its answer is none of Kubeflow Pipelines'; {TOKEN_VARIABLE} may want a token")
    return found


@contextmanager
def speaking_plainly(host: str) -> Iterator[None]:
    """Turn what kfp raises within into a ClusterError of one line, and keep what it prints to itself.

    Raises:
        ClusterError: Unreachable where the server did not answer.
    """
    from kfp_server_api.exceptions import ApiException, ApiTypeError, ApiValueError
    from urllib3.exceptions import HTTPError

    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    try:
        with redirect_stdout(StringIO()):
            yield
    except ApiException as problem:
        later = (problem.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR and not _message(problem)
        raise (Unreachable if later else ClusterError)(_in_words(host, problem)) from None
    except (ApiTypeError, ApiValueError, ValueError) as problem:
        raise ClusterError(f"{host}: its answer is none of Kubeflow Pipelines': {first_line(problem)}") from None
    except (HTTPError, OSError) as problem:
        reason = first_line(getattr(problem, "reason", None) or problem).rpartition(": ")[2]
        raise Unreachable(
            f"no Kubeflow Pipelines at {host}: {reason}; kubectl port-forward -n kubeflow svc/ml-pipeline 8888 makes "
            "one http://localhost:8888"
        ) from None


def _in_words(host: str, problem: ApiException) -> str:
    message = _message(problem)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        return f"{host} wants to know who you are: put a token into {TOKEN_VARIABLE}"
    if problem.status == HTTPStatus.FORBIDDEN:
        return f"{host}: no rights: {message or 'forbidden'}; in a Profile of yours you have them: --namespace names it"
    missing = _MISSING.search(message)
    if missing is not None:
        return f"no {missing.group(1).lower()} {missing.group(2)} at {host}"
    if problem.status == HTTPStatus.NOT_FOUND and not message:
        return f"{host} is no Kubeflow Pipelines from 2.0 on: it does not know API v2beta1"
    return f"{host}: {message or problem.reason or f'status {problem.status}'}"


def _message(problem: ApiException) -> str:
    """What the API says of it, its outermost sentence; empty where another server has answered."""
    try:
        found = json.loads(problem.body or "")
    except ValueError:
        return ""
    text = found.get("error_message") or found.get("message") or "" if isinstance(found, dict) else ""
    return " ".join(str(text).split())
