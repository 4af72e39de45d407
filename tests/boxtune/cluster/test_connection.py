"""Credentials, and what a cluster refuses or fails to answer, in one line each."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes.config import kube_config

from boxtune.cluster.connection import Cluster, connect
from boxtune.errors import ClusterError, Unreachable
from tests.boxtune.cluster.api import KATIB, NAMESPACE, Api


def test_the_namespace_is_what_is_given_then_the_experiment_s_then_the_context_s(api: Api) -> None:
    assert connect(None, "given", "fallback").namespace == "given"
    assert connect(None, None, "fallback").namespace == "fallback"
    assert connect("mine", None).namespace == NAMESPACE


def test_no_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    with pytest.raises(ClusterError, match=r"no cluster: .*set KUBECONFIG, or give --context, or use boxtune run"):
        connect(None, None)


def test_an_unknown_context_is_told_the_known_ones(api: Api) -> None:
    with pytest.raises(ClusterError, match=r"--context other: the kubeconfig has no such context; it has mine"):
        connect("other", None)


@pytest.mark.parametrize(
    ("status", "message", "says"),
    [
        (401, "Unauthorized", "refuses these credentials; log in again"),
        (403, 'experiments is forbidden: User "ann" cannot get', "no rights: .*ann.*Role boxtune-user"),
        (403, 'admission webhook "v" denied the request: spec.x is wrong', "^admission webhook"),
        (422, "spec is\n wrong", "^spec is wrong$"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(
    api: Api, cluster: Cluster, status: int, message: str, says: str
) -> None:
    api.refuse("GET", KATIB, status, message)
    with pytest.raises(ClusterError, match=says) as caught:
        cluster.experiment("any")
    assert not isinstance(caught.value, Unreachable)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_server_may_answer_later(api: Api, cluster: Cluster, status: int) -> None:
    api.refuse("GET", KATIB, status, "etcd leader changed")
    with pytest.raises(Unreachable, match=r"etcd leader changed"):
        cluster.experiment("any")


def test_a_webhook_that_does_not_answer_is_katib_s_controller(api: Api, cluster: Cluster) -> None:
    said = 'failed calling webhook "defaulter.experiment.katib.kubeflow.org": connection refused'
    api.refuse("GET", KATIB, 500, said)
    with pytest.raises(Unreachable, match=r"^Katib's controller does not answer; .*connection refused$"):
        cluster.experiment("any")


def test_no_katib_is_not_a_missing_experiment(api: Api, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cluster.experiment("any") is None
    monkeypatch.setattr("tests.boxtune.cluster.api.COLLECTIONS", set())
    with pytest.raises(ClusterError, match=r"no Katib on http.*kind-cluster/README.md"):
        cluster.experiment("any")


def test_no_server(api: Api, cluster: Cluster) -> None:
    api.cut()
    with pytest.raises(Unreachable, match=r"^no cluster at http://127.0.0.1:.*Connection refused; is it up"):
        cluster.experiment("any")
    api.restore()
