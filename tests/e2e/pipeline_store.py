"""Kubeflow Pipelines' own object store, as a test reaches it from here: its address and keys, and what lies in it."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.kubectl import kubectl_json, succeeds
from trial_entry.storage.s3_client import s3_client

SECRET = "mlpipeline-minio-artifact"
BUCKET = "mlpipeline"


@contextmanager
def store_reached() -> Iterator[None]:
    """Within, s3:// is that store; skips where there is none, or none that can be reached from here."""
    if not succeeds("get", "secret", SECRET, "-n", "kubeflow"):
        pytest.skip(f"no Kubeflow Pipelines on this cluster: no secret {SECRET} in the namespace kubeflow")
    slices = kubectl_json("get", "endpointslices", "-n", "kubeflow", "-l", "kubernetes.io/service-name=seaweedfs")
    addresses = [
        f"{address}:{each['ports'][0]['port']}"
        for each in slices["items"]
        for endpoint in each["endpoints"] or ()
        for address in endpoint["addresses"]
    ]
    keys = kubectl_json("get", "secret", SECRET, "-n", "kubeflow")["data"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", base64.b64decode(keys["accesskey"]).decode())
        patch.setenv("AWS_SECRET_ACCESS_KEY", base64.b64decode(keys["secretkey"]).decode())
        patch.setenv("AWS_DEFAULT_REGION", "minio")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{addresses[0] if addresses else 'nowhere'}")
        reached = subprocess.run(
            ["curl", "-s", "-m", "5", os.environ["AWS_ENDPOINT_URL"]], capture_output=True, check=False
        )
        if reached.returncode:
            pytest.skip(f"the pipelines' object store at {addresses} cannot be reached from here")
        s3_client.cache_clear()
        yield
    s3_client.cache_clear()
