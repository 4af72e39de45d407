"""An S3 server on this machine: moto's, a Python program that speaks S3's API, in a process of its own."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any

from tests.servers import serving_program


def serving(host: str = "127.0.0.1") -> AbstractContextManager[str]:
    """The address of a server without buckets."""

    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "moto.server", "-H", host, "-p", str(port)]

    return serving_program(command, host, "/moto-api/", seconds=60)


def client(address: str) -> Any:
    """Of the server at this address, past whatever the environment says."""
    import boto3

    return boto3.session.Session("minio", "minio123", region_name="us-east-1").client("s3", endpoint_url=address)
