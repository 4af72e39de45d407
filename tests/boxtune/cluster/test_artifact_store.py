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
from tests.s3_server import client, serving
from trial_entry.errors import StorageError
from trial_entry.storage import objects
from trial_entry.storage.s3_stores import S3Store, store_of

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
    monkeypatch.setenv("BOXTUNE_S3_STORES", "")
    put_secret(api, "mlpipeline-minio-artifact", accesskey="minio", secretkey="minio123")
    return api


def test_a_step_s_own_process(pod: Api) -> None:
    use_artifact_store(None, "s3://records/d")  # by the pod's role
    use_artifact_store(None, "minio://mlpipeline/v2")
    store = S3Store("http://seaweedfs.kubeflow:9000", "minio", "minio", "minio123")
    assert (store_of("mlpipeline"), store_of("records"), store_of("named-by-a-config")) == (store, None, store)
    assert not [name for name in os.environ if name in ("AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL")]


def test_two_stores_in_one_step(pod: Api) -> None:
    with serving() as first, serving() as second:
        providers = "".join(
            f"{scheme}: {{default: {{endpoint: '{address}', credentials: {{secretRef: {{secretName: {scheme}, "
            "accessKeyKey: k, secretKeyKey: s}}}}\n"
            for scheme, address in (("minio", first), ("s3", second))
        )
        pod.put(f"{CORE}/configmaps", "kfp-launcher", data={"providers": providers})
        for scheme, address in (("minio", first), ("s3", second)):
            put_secret(pod, scheme, k="minio", s="minio123")
            made = client(address)
            made.create_bucket(Bucket=f"of-{scheme}")
            made.put_object(Bucket=f"of-{scheme}", Key="d/a", Body=scheme.encode())
        for url, content in (("minio://of-minio/d/a", b"minio"), ("s3://of-s3/d/a", b"s3")) * 2:
            use_artifact_store(None, url)
            assert objects.read(url) == content
        with pytest.raises(StorageError, match=r"^the bucket of-s3 is read from two stores"):
            use_artifact_store(None, "minio://of-s3/d/a")


@pytest.mark.parametrize("where", ["outside", "gs", "path", "credentials", "role"])
def test_where_nothing_is_done(pod: Api, monkeypatch: pytest.MonkeyPatch, where: str, tmp_path: Path) -> None:
    url = {"gs": "gs://bucket/a", "path": "/data", "role": "s3://bucket/a"}.get(where, "minio://mlpipeline/v2")
    if where == "outside":
        monkeypatch.setattr(connection, "_OWN_NAMESPACE", tmp_path / "none")
    if where == "credentials":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    use_artifact_store(None, url)
    assert store_of("mlpipeline") is None
    assert store_of("bucket") is None
    assert connection.is_in_pod() == (where != "outside")
