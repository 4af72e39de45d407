"""Dashboard's server: optuna-dashboard's own web application over a run, on a port, for reading alone."""

from __future__ import annotations

import errno
import json
import logging
import socket
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import optuna

from boxtune.dashboard.storage import READ_ONLY, RunStorage
from boxtune.dashboard.studies import SEARCH
from boxtune.errors import BoxtuneError, InputError
from trial_entry.printable import printable

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_READING = ("GET", "HEAD")
_OF_THE_RUN = ("/api/", "/csv/")  # paths whose answers have something of the run; the others are the page's own files
_MOST_READ = 2**20  # bytes of a request that is refused; so that its sender is there for the answer

Say = Callable[[str], None]


class ReadOnlyApp:
    """optuna-dashboard's application, which may read: it looks at the run again before it answers."""

    def __init__(self, storage: RunStorage, say: Say) -> None:
        """
        Args:
            say: takes what people should know, one line.

        Raises:
            InputError: optuna-dashboard is not installed.
        """
        self._storage, self._say = storage, say
        self._dashboard = _application(storage, say)
        self._said = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        environ.setdefault("HTTP_ACCEPT_ENCODING", "")  # which the application takes for granted
        path = str(environ.get("PATH_INFO", ""))
        if environ["REQUEST_METHOD"] not in _READING:
            _read_away(environ)
            return _reason(start_response, HTTPStatus.FORBIDDEN, READ_ONLY)
        if path in ("", "/"):
            start_response("302 Found", [("Location", f"/dashboard/studies/{SEARCH}"), ("Content-Length", "0")])
            return [b""]
        try:
            if path.startswith(_OF_THE_RUN):
                self._refresh()
            return self._dashboard(environ, start_response)
        except BoxtuneError as wrong:
            return _reason(start_response, HTTPStatus.SERVICE_UNAVAILABLE, str(wrong))
        except Exception as unforeseen:  # of the application: the next request may be answered
            self._say(f"optuna-dashboard: {path}: {type(unforeseen).__name__}: {unforeseen}")
            return _reason(start_response, HTTPStatus.INTERNAL_SERVER_ERROR, "optuna-dashboard failed")

    def _refresh(self) -> None:
        """Raises BoxtuneError where the run cannot be read; that is said once, until it is something else."""
        try:
            self._storage.refresh()
        except BoxtuneError as wrong:
            if str(wrong) != self._said:
                self._said = str(wrong)
                self._say(self._said)
            raise
        if self._said:
            self._said = ""
            self._say("the run can be read again")


def _application(storage: RunStorage, say: Say) -> WSGIApplication:
    try:
        import optuna_dashboard
    except ImportError:
        raise InputError(
            "optuna-dashboard is not installed; install it with: pip install 'boxtune[dashboard]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it warns of plots with little to draw, at each request
    logger = logging.getLogger("optuna_dashboard")
    logger.handlers, logger.propagate = [_FirstLine(say)], False
    application: WSGIApplication = optuna_dashboard.wsgi(storage)
    application.catchall = False  # type: ignore[attr-defined]  # bottle's: what is raised comes here
    return application


class _FirstLine(logging.Handler):
    """What optuna-dashboard logs, without the tracebacks that it writes into its messages."""

    def __init__(self, say: Say) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """One record."""
        self._say(f"optuna-dashboard: {record.getMessage().partition(chr(10))[0]}")


def _read_away(environ: WSGIEnvironment) -> None:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if length.isdecimal():
        environ["wsgi.input"].read(min(int(length), _MOST_READ))


def _reason(start_response: StartResponse, status: HTTPStatus, reason: str) -> Iterable[bytes]:
    """An error as the page knows to show it."""
    body = json.dumps({"reason": reason}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]


class _Handler(WSGIRequestHandler):
    """Says nothing of requests that went well."""

    timeout = 60  # seconds in which a request must have come

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class _Server(ThreadingMixIn, WSGIServer):
    """A thread a request."""

    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ][0]
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Without looking up the machine's name, which takes seconds where nothing answers."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away is no error."""


def serve(app: ReadOnlyApp, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Answer requests until Ctrl-C.

    Args:
        port: 0 for any free one.
        ready: is told the address once requests are answered.

    Raises:
        InputError: the address cannot be had.
    """
    try:
        server = _Server(host, port)
    except OSError as error:
        raise InputError(_why_not(host, port, error)) from None
    except UnicodeError:
        raise InputError(f"--host {printable(host)}: is no host's name") from None
    server.set_app(app)
    with server:
        ready(_address(host, server.server_port))
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


def _why_not(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"--host {host}: {error.strerror}; name one of this machine's addresses, such as 127.0.0.1"
    if error.errno == errno.EADDRINUSE:
        return f"--port {port}: something else answers there; name another, or 0 for any free one"
    if error.errno == errno.EACCES:
        return f"--port {port}: {error.strerror}; name one from 1024, or 0 for any free one"
    return f"--host {host}: {error.strerror}; name one of this machine's addresses, such as 127.0.0.1"


def _address(host: str, port: int) -> str:
    everywhere = host in ("", "0.0.0.0", "::")
    name = socket.gethostname() if everywhere else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"
