"""A way to the cluster's API that can be cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import yaml

from tests.e2e.kubectl import kubectl_json


class Proxy:
    """Passes on every byte between a port of this machine and the current context's server."""

    def __init__(self) -> None:
        self._config = kubectl_json("config", "view", "--raw", "--minify")
        url = urlsplit(self._config["clusters"][0]["cluster"]["server"])
        assert url.hostname is not None
        self._server = (url.hostname, url.port or 443)
        self._open: list[socket.socket] = []
        self._port = 0
        self.restore()

    def kubeconfig(self, folder: Path) -> Path:
        """A file that leads through here."""
        cluster = self._config["clusters"][0]["cluster"]
        cluster |= {"server": f"https://127.0.0.1:{self._port}", "tls-server-name": self._server[0]}
        file = folder / "proxied.conf"
        file.write_text(yaml.safe_dump(self._config))
        return file

    def restore(self) -> None:
        """Take connections (again), on the same port."""
        self._listening = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def cut(self) -> None:
        """End every connection in the middle of whatever it carries, and take no new one."""
        for each in (self._listening, *self._open):
            _end(each)
        self._open.clear()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                ours, _ = listening.accept()
                theirs = socket.create_connection(self._server)
            except OSError:
                return
            self._open += [ours, theirs]
            for source, sink in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.cut()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
    except OSError:
        pass
    _end(sink)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side was first
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
