"""A bucket server on this machine: fake-gcs-server, a Go program that speaks Cloud Storage's JSON API.

`go` builds it once, into .cache; where there is no `go`, the tests that want it skip.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.servers import serving_program

MODULE, VERSION = "github.com/fsouza/fake-gcs-server", "v1.56.1"
PROGRAM = REPOSITORY / ".cache" / f"fake-gcs-server-{VERSION}" / "fake-gcs-server"


def program() -> Path:
    """The server's program; skips the test where it cannot be built."""
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    with (PROGRAM.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other test process
        if not PROGRAM.exists():
            if shutil.which("go") is None:
                pytest.skip("no go to build fake-gcs-server with")
            done = subprocess.run(
                ["go", "install", f"{MODULE}@{VERSION}"],
                env={**os.environ, "GOBIN": str(PROGRAM.parent)}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                pytest.skip(f"fake-gcs-server cannot be built: {done.stderr.strip().splitlines()[-1:]}")
    return PROGRAM


def serving(host: str = "127.0.0.1") -> AbstractContextManager[str]:
    """The address of a server without buckets."""

    def command(port: int) -> list[str]:
        return [
            str(program()), "-scheme", "http", "-host", host, "-port", str(port), "-backend", "memory",
            "-public-host", f"{host}:{port}", "-external-url", f"http://{host}:{port}", "-log-level", "error",
        ]  # fmt: skip

    return serving_program(command, host, "/storage/v1/b?project=none", seconds=30)


def client() -> Any:
    """Of the server that STORAGE_EMULATOR_HOST names."""
    from google.cloud.storage import Client

    return Client.create_anonymous_client()


def upload(bucket: Any, folder: Path, prefix: str) -> None:
    """Every file of `folder`, under `prefix`/."""
    for file in folder.iterdir():
        if file.is_file():
            bucket.blob(f"{prefix}/{file.name}").upload_from_filename(str(file))
