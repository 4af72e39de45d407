"""A way to the bucket server that goes wrong when it is told to: real HTTP, a real connection cut in the middle.

fake-gcs-server itself never refuses, delays or corrupts anything, knows no credentials and no rights, and limits no
rate; what the real service does there is done here, to real requests of the real client.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

_DELIVERED_SECONDS = 0.05
_HOP = {"connection", "transfer-encoding", "content-length", "host", "keep-alive"}


@dataclass
class Fault:
    """What becomes of requests.

    Attributes:
        kind: `status`, `slow`, `cut-answer`, `cut-request`, `lose-answer`, `corrupt`.
        method: of the requests that it happens to.
        about: what their address has in it.
        times: how often it happens still.
        status: that is answered, for `status`.
        after: bytes let through before a cut, or seconds before the first byte, for `slow`.
        happened: how often it did.
        body: what is answered, for `status`; what Cloud Storage says where it is empty.
    """

    kind: str
    method: str = "GET"
    about: str = ""
    times: int = 1
    status: int = 503
    after: float = 0
    happened: int = 0
    body: str = ""


class Faults:
    """The faults of one proxy, and every request that came.

    Attributes:
        address: of the proxy.
        requests: `METHOD ADDRESS` of each.
    """

    def __init__(self, server: str) -> None:
        self.address = ""
        self.server = server
        self.requests: list[str] = []
        self._faults: list[Fault] = []
        self._guard = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        """From now on."""
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """No fault any more, and no request known."""
        self._faults.clear()
        self.requests.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """What is to become of a request."""
        with self._guard:
            self.requests.append(f"{method} {unquote(path)}")
            for fault in self._faults:
                if fault.times > 0 and fault.method == method and fault.about in unquote(path):
                    fault.times -= 1
                    fault.happened += 1
                    return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: Faults

    def _pass_on(self) -> None:
        fault = self.faults.take(self.command, self.path)
        kind = fault.kind if fault is not None else ""
        sent = int(self.headers.get("Content-Length") or 0)
        if fault is not None and kind == "cut-request":
            self.rfile.read(min(sent, int(fault.after)))
            self._cut()
            return
        body = self._chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self.rfile.read(sent)
        if fault is not None and kind == "status":
            self._refuse(fault.status, fault.body)
            return
        if fault is not None and kind == "slow":
            time.sleep(fault.after)
        status, headers, answer, length = self._ask(body)
        if kind == "lose-answer":
            self._cut()
            return
        if kind == "corrupt":
            answer = bytes([answer[0] ^ 1]) + answer[1:]
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(answer)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault is not None and kind == "cut-answer":
            self.wfile.write(answer[: int(fault.after)])
            self._cut()
            return
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _pass_on  # noqa: N815 (http.server's names)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes, str]:
        """The server's answer, in which the server's address is this proxy's; and the length that it says."""
        url = urlsplit(self.faults.server)
        connection = http.client.HTTPConnection(url.netloc, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        connection.request(self.command, self.path, body or None, {**headers, "Content-Length": str(len(body))})
        answer = connection.getresponse()
        content = answer.read()
        ours, theirs = self.faults.address, self.faults.server
        if "json" in (answer.getheader("Content-Type") or ""):
            content = content.replace(theirs.encode(), ours.encode())
        kept = [(name, value.replace(theirs, ours)) for name, value in answer.getheaders() if name.lower() not in _HOP]
        connection.close()
        return answer.status, kept, content, answer.getheader("Content-Length") or "0"

    def _chunks(self) -> bytes:
        whole = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _refuse(self, status: int, body: str) -> None:
        message = {401: "Invalid Credentials", 403: "no access to the object", 429: "slow down", 503: "backend error"}
        said = json.dumps({"error": {"code": status, "message": message.get(status, "no")}})
        answer = (body or said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml" if body else "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _cut(self) -> None:
        """End the connection by a reset, as a dying machine or a firewall does."""
        self.wfile.flush()
        time.sleep(_DELIVERED_SECONDS)  # a reset throws away what has not been read
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed."""


@contextmanager
def going_wrong(server: str) -> Iterator[Faults]:
    """A proxy before the bucket server at `server`."""
    faults = Faults(server)
    listening = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"faults": faults}))
    faults.address = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield faults
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
