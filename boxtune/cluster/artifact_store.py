"""The object store of Kubeflow Pipelines: where it is and whose credentials open it, as its own launcher finds out.

A namespace's ConfigMap `kfp-launcher` may name providers (minio, s3), each with a default and overrides by prefix; for
minio:// without one it is the store that Kubeflow brings, with the namespace's secret `mlpipeline-minio-artifact`; for
s3:// without one the pod's own role. Pods get a reference to the secret, never its content.
Source: `backend/src/v2/config/{env,minio,s3}.go` of Kubeflow Pipelines 2.17.0.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import yaml

from boxtune.cluster.connection import Cluster, connect, is_in_pod, optional, speaking_plainly
from boxtune.errors import ClusterError
from boxtune.experiment.source import Json, JsonObject
from trial_entry.storage.s3_client import s3_client
from trial_entry.storage.s3_stores import S3Store, use_store
from trial_entry.storage.urls import MINIO, S3, parts

_CONFIG_MAP, _PROVIDERS = "kfp-launcher", "providers"
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_ROLES = ("AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI")  # of AWS's own store


@dataclass(frozen=True)
class StoreAccess:
    """How a store is reached.

    Attributes:
        endpoint: its address, http:// or https://; empty for AWS's own.
        region: of AWS's, or whatever the store calls it; may be empty.
        secret: of the namespace, with the keys.
        access_key, secret_key: their names in it.
    """

    endpoint: str = "http://seaweedfs.kubeflow:9000"
    region: str = "minio"
    secret: str = "mlpipeline-minio-artifact"
    access_key: str = "accesskey"
    secret_key: str = "secretkey"

    def environment(self) -> list[dict[str, Json]]:
        """A container's `env`: where the store is, and the keys by reference."""
        keys = zip(_KEYS, (self.access_key, self.secret_key), strict=True)
        return [
            *({"name": name, "valueFrom": {"secretKeyRef": {"name": self.secret, "key": key}}} for name, key in keys),
            *({"name": name, "value": value} for name, value in self.settings().items()),
        ]

    def settings(self) -> dict[str, str]:
        """Where the store is, as variables of the environment."""
        given = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": self.region}
        return {name: value for name, value in given.items() if value}


def store_access(cluster: Cluster, url: str) -> StoreAccess | None:
    """How pods of the namespace reach `url`; None where they need nothing but their own role (gs://, s3:// by role).

    Raises:
        ClusterError: the ConfigMap is not as the launcher reads it, or may not be read.
    """
    scheme = next((each for each in (MINIO, S3) if url.startswith(each)), None)
    if scheme is None:
        return None
    with speaking_plainly(cluster):
        found = optional(partial(cluster.core.read_namespaced_config_map, _CONFIG_MAP, cluster.namespace))
    data = (found.data or {}) if found is not None else {}
    try:
        provider = _lowered(yaml.safe_load(data.get(_PROVIDERS) or "") or {}).get(scheme.removesuffix("://")) or {}
        return _access(provider, url) if provider else (StoreAccess() if scheme == MINIO else None)
    except (AttributeError, TypeError, KeyError, yaml.YAMLError):
        raise ClusterError(
            f"the ConfigMap {_CONFIG_MAP} of the namespace {cluster.namespace}: its {_PROVIDERS} are not as Kubeflow "
            "Pipelines reads them; each needs a default with credentials (fromEnv, or secretRef)"
        ) from None


def _access(provider: JsonObject, url: str) -> StoreAccess | None:
    bucket, name = parts(url)
    chosen = dict(provider["default"])
    for override in provider.get("overrides") or ():
        if override.get("bucketname") == bucket and name.startswith(override.get("keyprefix") or ""):
            chosen |= {key: value for key, value in override.items() if value not in (None, "")}
            break
    credentials, endpoint = chosen["credentials"], str(chosen.get("endpoint") or "")
    if credentials.get("fromenv"):
        return None
    if endpoint and "://" not in endpoint:
        endpoint = f"{'http' if chosen.get('disablessl') else 'https'}://{endpoint}"
    secret = credentials["secretref"]
    return StoreAccess(
        endpoint, str(chosen.get("region") or ""), secret["secretname"], secret["accesskeykey"], secret["secretkeykey"]
    )


def _lowered(value: Json) -> Json:
    """Names in lower case: Go reads them whatever case they have."""
    if isinstance(value, Mapping):
        return {str(key).lower(): _lowered(inner) for key, inner in value.items()}
    return [_lowered(inner) for inner in value] if isinstance(value, list) else value


def check_secret(cluster: Cluster, access: StoreAccess) -> Mapping[str, str]:
    """The store's keys by their names in the secret, which is there and has them.

    Raises:
        ClusterError: it is not there, lacks one, or may not be read.
    """
    with speaking_plainly(cluster):
        found = optional(partial(cluster.core.read_namespaced_secret, access.secret, cluster.namespace))
    if found is None:
        raise ClusterError(
            f"the namespace {cluster.namespace} has no secret {access.secret}, which opens the pipelines' object "
            "store; Kubeflow makes it in its own namespace and in each profile's"
        )
    keys = {name: base64.b64decode(value).decode() for name, value in (found.data or {}).items()}
    missing = next((name for name in (access.access_key, access.secret_key) if name not in keys), None)
    if missing is not None:
        raise ClusterError(f"the secret {access.secret} of the namespace {cluster.namespace} has no key {missing}")
    return keys


def use_artifact_store(namespace: str | None, url: str) -> None:
    """Let this process read and write the bucket of `url` as the pipelines' launcher does, whatever others it reads.

    Does nothing outside of a pod, for gs:// and paths of this machine, and where the environment has credentials.

    Args:
        namespace: of the run; None for the pod's own.

    Raises:
        ClusterError: the ConfigMap or the secret is not there as it must be, or may not be read.
        StorageError: two stores have a bucket of this name.
    """
    given = _KEYS[:1] if url.startswith(MINIO) else (*_KEYS[:1], *_ROLES)
    if not url.startswith((MINIO, S3)) or not is_in_pod():
        return
    bucket, _ = parts(url)
    if any(os.environ.get(name) for name in given):
        use_store(bucket, None)
    else:
        cluster = connect(None, namespace)
        access = store_access(cluster, url)
        use_store(bucket, _opened(cluster, access) if access is not None else None)
    s3_client.cache_clear()


def _opened(cluster: Cluster, access: StoreAccess) -> S3Store:
    keys = check_secret(cluster, access)
    return S3Store(access.endpoint, access.region, keys[access.access_key], keys[access.secret_key])
