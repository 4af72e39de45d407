"""Which store a namespace's pipelines have, as Kubeflow Pipelines' own launcher finds out."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from boxtune.cluster import connection
from boxtune.cluster.artifact_store import StoreAccess, check_secret, store_access, use_artifact_store
from boxtune.cluster.connection import Cluster
from boxtune.errors import ClusterError
from tests.boxtune.cluster.api import CORE, Api

PROVIDERS = """
s3:
  default:
    endpoint: s3.amazonaws.com
    region: eu-west-1
    credentials: {fromEnv: true}
  Overrides:
    - bucketName: ours
      keyPrefix: runs/
      endpoint: store.local:9000
      disableSSL: true
      credentials:
        secretRef: {secretName: own, accessKeyKey: key, secretKeyKey: word}
minio:
  default:
    endpoint: store.local:9000
    disableSSL: true
    region: here
    credentials:
      fromEnv: false
      secretRef: {secretName: own, accessKeyKey: key, secretKeyKey: word}
"""


def put_secret(api: Api, name: str, **keys: str) -> None:
    api.put(f"{CORE}/secrets", name, data={key: base64.b64encode(text.encode()).decode() for key, text in keys.items()})


def test_a_stock_installation_s_store(cluster: Cluster) -> None:
    access = store_access(cluster, "minio://mlpipeline/v2/artifacts/run")
    assert access == StoreAccess()
    assert access is not None
    assert access.environment() == [
        {"name": "AWS_ACCESS_KEY_ID",
         "valueFrom": {"secretKeyRef": {"name": "mlpipeline-minio-artifact", "key": "accesskey"}}},
        {"name": "AWS_SECRET_ACCESS_KEY",
         "valueFrom": {"secretKeyRef": {"name": "mlpipeline-minio-artifact", "key": "secretkey"}}},
        {"name": "AWS_ENDPOINT_URL", "value": "http://seaweedfs.kubeflow:9000"},
        {"name": "AWS_DEFAULT_REGION", "value": "minio"},
    ]  # fmt: skip
    assert store_access(cluster, "s3://bucket/a") is None  # by the pod's role
    assert store_access(cluster, "gs://bucket/a") is None


def test_providers_and_their_overrides(api: Api, cluster: Cluster) -> None:
    api.put(f"{CORE}/configmaps", "kfp-launcher", data={"defaultPipelineRoot": "", "providers": PROVIDERS})
    own = StoreAccess("http://store.local:9000", "here", "own", "key", "word")
    assert store_access(cluster, "minio://any/thing") == own
    assert store_access(cluster, "s3://any/thing") is None
    assert store_access(cluster, "s3://ours/other") is None
    assert store_access(cluster, "s3://ours/runs/7") == StoreAccess(
        "http://store.local:9000", "eu-west-1", "own", "key", "word"
    )


@pytest.mark.parametrize("providers", ["minio: {default: {}}", "minio: 3", "{", "minio: {default: {credentials: }}"])
def test_providers_that_are_none(api: Api, cluster: Cluster, providers: str) -> None:
    api.put(f"{CORE}/configmaps", "kfp-launcher", data={"providers": providers})
    with pytest.raises(ClusterError, match=r"^the ConfigMap kfp-launcher of the namespace drones: its providers are "):
        store_access(cluster, "minio://a/b")


def test_a_secret_that_is_not_there_or_lacks_a_key(api: Api, cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="the namespace drones has no secret mlpipeline-minio-artifact"):
        check_secret(cluster, StoreAccess())
    put_secret(api, "mlpipeline-minio-artifact", accesskey="minio")
    with pytest.raises(ClusterError, match=r"the secret mlpipeline-minio-artifact .* has no key secretkey"):
        check_secret(cluster, StoreAccess())


@pytest.fixture
def pod(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    """This process as if it ran in a pod whose cluster is this one."""
    file = tmp_path / "namespace"
    file.write_text("drones")
    monkeypatch.setattr(connection, "_OWN_NAMESPACE", file)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.setenv(name, "")  # what is set below goes at the end
        monkeypatch.delenv(name)
    put_secret(api, "mlpipeline-minio-artifact", accesskey="minio", secretkey="minio123")
    return api


def test_a_step_s_own_process(pod: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    use_artifact_store(None, "minio://mlpipeline/v2")
    given = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    assert (
        given.items()
        >= {
            "AWS_ACCESS_KEY_ID": "minio",
            "AWS_SECRET_ACCESS_KEY": "minio123",
            "AWS_ENDPOINT_URL": "http://seaweedfs.kubeflow:9000",
            "AWS_DEFAULT_REGION": "minio",
        }.items()
    )


@pytest.mark.parametrize("where", ["outside", "gs", "path", "credentials", "role"])
def test_where_nothing_is_done(pod: Api, monkeypatch: pytest.MonkeyPatch, where: str, tmp_path: Path) -> None:
    url = {"gs": "gs://bucket/a", "path": "/data", "role": "s3://bucket/a"}.get(where, "minio://mlpipeline/v2")
    if where == "outside":
        monkeypatch.setattr(connection, "_OWN_NAMESPACE", tmp_path / "none")
    if where == "credentials":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    before = dict(os.environ)
    use_artifact_store(None, url)
    assert dict(os.environ) == before
    assert connection.is_in_pod() == (where != "outside")
