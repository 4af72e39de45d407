"""Trials of `trial_entry` by fork from a process that has TensorFlow imported: `python -m trial_entry serve`."""

from __future__ import annotations

import os
import select
import signal
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from boxtune.execution.processes import ChildProcess, Processes, TrialProcess
from trial_entry.contract.exit_codes import EXIT_BUG
from trial_entry.contract.requests import PROGRAM, ServeRequest
from trial_entry.contract.serving import BEGIN, ProcessRequest, send_request

SERVER_LOG = "server.log"
MOST_SERVERS = 2  # at a time: each holds TensorFlow's 0.7 GB
_BIND_SECONDS = 20.0
# Variables with these beginnings may be read while TensorFlow, NumPy or the C library are loaded, so a server's cannot
# be changed afterwards. CUDA_VISIBLE_DEVICES is read when devices are first looked for, which no server does.
_READ_AT_IMPORT = ("TF_", "XLA_", "OMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "MALLOC_", "PYTHON", "LD_", "LC_")


@dataclass(frozen=True)
class _Server:
    process: ChildProcess
    socket: str


class TrialServers:
    """Servers by the variables that their imports have read; a context manager, inside that of `processes`."""

    def __init__(self, processes: Processes, folder: Path, most: int = MOST_SERVERS) -> None:
        """
        Args:
            folder: gets the servers' log.
            most: servers at a time; with 0 every trial is started as a program of its own.
        """
        self._most = most
        self._processes = processes
        self._log = folder / SERVER_LOG
        self._sockets = tempfile.TemporaryDirectory(prefix="boxtune-")  # a socket's path must be short
        self._servers: dict[frozenset[tuple[str, str]], _Server] = {}
        self._failed = False

    def __enter__(self) -> TrialServers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            server.process.kill()
        self._sockets.cleanup()

    def start(self, argv: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> TrialProcess:
        """As `Processes.start`, by a server where that comes to the same: for trial_entry's own trials.

        Raises:
            OSError: it cannot be started.
        """
        if tuple(argv[: len(PROGRAM)]) == PROGRAM and folder.is_dir():
            connection = self._connect(environment)
            if connection is not None:
                request = ProcessRequest(argv[len(PROGRAM) :], dict(environment), str(folder))
                try:
                    return ForkedProcess(self._processes, connection, request, log, self._log)
                except ConnectionError:  # it has died since; what it died of, a cold start says
                    connection.close()
                    self._failed = True
        return self._processes.start(argv, environment, folder, log)

    def _connect(self, environment: Mapping[str, str]) -> socket.socket | None:
        """A connection to a server for this environment; None where a cold start has to do."""
        key = frozenset((name, value) for name, value in environment.items() if name.startswith(_READ_AT_IMPORT))
        server = self._servers.get(key)
        if server is not None and server.process.reap() is not None:
            self._failed = True  # it has no reason to end: do not try again what may end again
        if self._failed or (server is None and len(self._servers) >= self._most):
            return None
        if server is None:
            path = f"{self._sockets.name}/{len(self._servers)}.sock"
            argv = [*PROGRAM, *ServeRequest(socket=Path(path)).argv()]
            self._servers[key] = server = _Server(self._processes.start(argv, environment, Path.cwd(), self._log), path)
        connection = _connected(server)
        self._failed = connection is None
        return connection


class ForkedProcess(TrialProcess):
    """A trial that a server forks; until the server has done its imports and answers, it has no process yet."""

    def __init__(
        self, processes: Processes, connection: socket.socket, request: ProcessRequest, log: Path, server_log: Path
    ) -> None:
        with log.open("ab") as opened:
            send_request(connection, request, opened.fileno(), opened.fileno())
        connection.setblocking(False)
        super().__init__(processes, None, connection.fileno())
        self._connection = connection
        self._received = b""
        self._code: int | None = None
        self._log, self._server_log = log, server_log

    def reap(self) -> int | None:
        while self._code is None:
            try:
                received = self._connection.recv(64)
            except BlockingIOError:
                return None
            except ConnectionError:
                received = b""
            self._received += received
            line, newline, rest = self._received.partition(b"\n")
            if not received:
                self._server_has_died()
            elif newline:
                self._received = rest
                self._answered(int(line))
        return self._code

    def terminate(self) -> None:
        if self.group is None:
            self._end(-signal.SIGTERM)
        else:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        if self.group is None:
            self._end(-signal.SIGKILL)
        self._signal(signal.SIGKILL)
        while self.reap() is None:
            select.select([self._connection], [], [])

    def _answered(self, number: int) -> None:
        """The first answer is the process id, the second how the process ended."""
        if self.group is not None:
            self._end(os.waitstatus_to_exitcode(number))
            return
        self._processes.register(number)
        self.group = number
        try:
            self._connection.sendall(BEGIN)
        except OSError:
            return  # read on: the connection has ended

    def _server_has_died(self) -> None:
        """The kernel kills a server's trials with it."""
        with self._log.open("a") as log:
            log.write(f"the process that starts trials has died; {self._server_log} may say why\n")
        self._end(EXIT_BUG if self.group is None else -signal.SIGKILL)

    def _end(self, code: int) -> None:
        if self._code is None:
            self._code = code
            self._connection.detach()  # burying closes the descriptor
            self._bury()


def _connected(server: _Server) -> socket.socket | None:
    """A connection; waits while the server begins. None where it ends instead."""
    deadline = time.monotonic() + _BIND_SECONDS
    while server.process.reap() is None and time.monotonic() < deadline:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(server.socket)
        except OSError:
            connection.close()
            time.sleep(0.01)
        else:
            return connection
    return None
