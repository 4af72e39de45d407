"""Trials by fork, for tests whose point is not the start: from a server that has TensorFlow imported, once for all.

tests/boxtune/execution/test_servers.py shows that a forked trial does what a started one does.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.trials import COMMAND, TIME_LIMIT, Ended
from trial_entry.contract.requests import ServeRequest
from trial_entry.contract.serving import BEGIN, ProcessRequest, send_request
from trial_entry.parent import die_with_parent

Run = Callable[..., Ended]


@contextmanager
def forking() -> Iterator[Run]:
    """`tests.trials.run`, but for variables that TensorFlow reads at its import: those are this process's."""
    here = os.getpid()
    with tempfile.TemporaryDirectory(prefix="boxtune-") as folder:  # a socket's path must be short
        place, log = Path(folder) / "socket", Path(folder) / "log"
        with log.open("w") as output:
            server = subprocess.Popen(
                [*COMMAND, *ServeRequest(socket=place).argv()],
                stdout=output,
                stderr=output,
                preexec_fn=lambda: die_with_parent(here),  # noqa: PLW1509 (two system calls, looked up before)
            )

        def run(*arguments: str | Path, **environment: str) -> Ended:
            request = ProcessRequest([*map(str, arguments)], {**os.environ, **environment}, str(Path.cwd()))
            with _connected(place, server, log) as connection:
                return _ended(connection, request)

        try:
            yield run
        finally:
            server.kill()
            server.wait()


def _connected(place: Path, server: subprocess.Popen[bytes], log: Path) -> socket.socket:
    """A connection to the server, which may be beginning."""
    deadline = time.monotonic() + TIME_LIMIT
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(place))
        except OSError:
            connection.close()
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.02)
        else:
            connection.settimeout(TIME_LIMIT)
            return connection


def _ended(connection: socket.socket, request: ProcessRequest) -> Ended:
    """One process, to its end."""
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        connection.makefile("rb") as answers,
    ):
        send_request(connection, request, out.fileno(), err.fileno())
        process = int(answers.readline())
        connection.sendall(BEGIN)
        try:
            status = int(answers.readline())
        except TimeoutError:
            os.killpg(process, signal.SIGKILL)
            raise
        out.seek(0)
        err.seek(0)
        return Ended(os.waitstatus_to_exitcode(status), out.read(), err.read())
