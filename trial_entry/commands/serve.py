"""The command `serve`: trials by fork from a process that has TensorFlow imported, so that none of them imports it.

Each is a fresh process all the same, with a session of its own: what becomes of one is no matter to the others.
Nothing of TensorFlow's runtime is started before a fork (`preload` says what that means).
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from trial_entry.commands import evaluate, train  # noqa: F401 (so that no fork imports them)
from trial_entry.contract.exit_codes import EXIT_BUG, EXIT_STOPPED
from trial_entry.contract.requests import ServeRequest
from trial_entry.contract.serving import BEGIN, ProcessRequest, receive_request
from trial_entry.detection.events import HPARAMS
from trial_entry.detection.runtime import preload
from trial_entry.errors import RequestError
from trial_entry.parent import die_with_parent

_LOG = logging.getLogger(__name__)
_WAITING = 64  # connections that have not been answered yet
_REQUEST_SECONDS = 10.0

RunToTheEnd = Callable[[Sequence[str]], NoReturn]


def serve(request: ServeRequest, run_to_the_end: RunToTheEnd) -> NoReturn:
    """Answer requests (`trial_entry.contract.serving`) until a signal ends this process; its trials end with it.

    Args:
        run_to_the_end: runs one command and ends the process.

    Raises:
        RequestError: the socket cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(request.socket))
    except OSError as error:
        raise RequestError(f"serve {request.socket}: no socket can be made there: {error}") from None
    listener.listen(_WAITING)  # requests may come while the imports go on; they wait
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    preload(HPARAMS)  # out of the garbage collector's sight: collecting would write to what forks share
    _Server(listener, run_to_the_end).run()


class _Server:
    """One listening socket, and a connection for each process that runs."""

    def __init__(self, listener: socket.socket, run_to_the_end: RunToTheEnd) -> None:
        self._listener = listener
        self._run_to_the_end = run_to_the_end
        self._running: dict[int, tuple[int, socket.socket]] = {}  # process id and connection, by pidfd

    def run(self) -> NoReturn:
        while True:
            asked = self._listener.fileno()
            ready, _, _ = select.select([asked, *self._running], [], [])
            for descriptor in ready:
                if descriptor == asked:
                    self._accept()
                else:
                    self._report(descriptor)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(_REQUEST_SECONDS)
        try:
            request, output, error = receive_request(connection)
        except (OSError, ValueError) as wrong:
            _LOG.warning("a request that is none: %s", wrong)
            connection.close()
            return
        server = os.getpid()
        process = os.fork()
        if process == 0:
            self._listener.close()
            for descriptor, (_, other) in self._running.items():
                os.close(descriptor)
                other.close()
            _become(server, connection, request, output, error)
            self._run_to_the_end(request.argv)
        os.close(output)
        os.close(error)
        self._running[os.pidfd_open(process)] = (process, connection)

    def _report(self, descriptor: int) -> None:
        process, connection = self._running.pop(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(process, 0)
        with connection:
            try:
                connection.sendall(b"%d\n" % status)
            except OSError:
                _LOG.warning("nobody asks any more how process %d ended", process)


def _become(server: int, connection: socket.socket, request: ProcessRequest, output: int, error: int) -> None:
    """In the new process: be what the request asks for, once whoever asked knows the process id."""
    os.setsid()
    die_with_parent(server)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    connection.settimeout(None)
    try:
        connection.sendall(b"%d\n" % os.getpid())
        begin = connection.recv(1)
    except OSError:
        begin = b""
    if begin != BEGIN:
        os._exit(EXIT_STOPPED)
    connection.close()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (output, 1), (error, 2)):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request.environment)
    try:
        os.chdir(request.folder)
    except OSError as gone:
        print(f"{request.folder}: {gone.strerror}; a trial cannot run there", file=sys.stderr, flush=True)
        os._exit(EXIT_BUG)
