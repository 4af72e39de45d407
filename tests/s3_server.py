"""An S3 server on this machine: moto's, a Python program that speaks S3's API, in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serving(host: str = "127.0.0.1") -> Iterator[str]:
    """The address of a server without buckets."""
    with socket.create_server((host, 0)) as probe:
        port = probe.getsockname()[1]
    address = f"http://{host}:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", host, "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{address}/moto-api/")
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def client(address: str) -> Any:
    """Of the server at this address, past whatever the environment says."""
    import boto3

    return boto3.session.Session("minio", "minio123", region_name="us-east-1").client("s3", endpoint_url=address)
