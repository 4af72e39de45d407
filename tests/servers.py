"""A program that serves on this machine, as long as a test wants it."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def serving_program(command: Callable[[int], Sequence[str]], host: str, path: str, seconds: float) -> Iterator[str]:
    """The address of the server that a command starts, once it answers.

    Args:
        command: with the port that it is to serve at.
        path: that it answers at when it is ready.
        seconds: that it may take.
    """
    with socket.create_server((host, 0)) as probe:
        port = probe.getsockname()[1]
    address = f"http://{host}:{port}"
    process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                urllib.request.urlopen(f"{address}{path}")
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()
