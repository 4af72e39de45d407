"""A cluster's API as far as Boxtune speaks to it: objects by path, over HTTP, and whatever can go wrong with it.

Its refusals are what a Kubernetes 1.34 API server answers, word for word. What a real one does besides is tested on a
real one, by tests/e2e.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

NAMESPACE = "drones"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
DEPLOYMENTS = "/apis/apps/v1/deployments"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
WORKFLOWS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/workflows"
KATIB = f"/apis/kubeflow.org/v1beta1/namespaces/{NAMESPACE}"
COLLECTIONS = {
    *(f"{CORE}/{plural}" for plural in ("configmaps", "persistentvolumeclaims", "pods", "events", "secrets")),
    *(f"{KATIB}/{plural}" for plural in ("experiments", "trials", "suggestions")),
    *("/api/v1/namespaces", "/api/v1/nodes", JOBS, DEPLOYMENTS, LEASES, WORKFLOWS),
}


class Api:
    """Serves `objects` on a port of this machine; `cut` and `refuse` make it fail."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.logs: dict[tuple[str, str], str] = {}
        self.asked: list[str] = []
        self.after: Callable[[str, str], None] = lambda method, path: None
        self._refusals: list[tuple[str, str, int, str]] = []
        self._port = 0
        self._open: set[socket.socket] = set()
        self.restore()

    def kubeconfig(self, folder: Path) -> Path:
        """A file that leads here, with one context."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{self._port}"}}],
            "users": [{"name": "me", "user": {"token": "none"}}],
            "contexts": [{"name": "mine", "context": {"cluster": "here", "user": "me", "namespace": NAMESPACE}}],
            "current-context": "mine",
        }
        file = folder / "kubeconfig"
        file.write_text(yaml.safe_dump(content))
        return file

    def put(self, collection: str, name: str, **content: Any) -> dict[str, Any]:
        """An object, replacing the one that is there."""
        metadata = {"name": name, "creationTimestamp": "2026-11-25T10:00:00Z", **content.pop("metadata", {})}
        self.objects[f"{collection}/{name}"] = {"metadata": metadata, **content}
        return self.objects[f"{collection}/{name}"]

    def refuse(self, method: str, path: str, status: int, message: str) -> None:
        """Answer requests of this method to paths that begin so with a refusal."""
        self._refusals.append((method, path, status, message))

    def cut(self) -> None:
        """Close every connection in the middle of whatever it carries, and take no new one."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._open):
            connection.shutdown(socket.SHUT_RDWR)

    def restore(self) -> None:
        """Serve (again), at the same address."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        """Status and content (text, or what becomes JSON)."""
        self.asked.append(f"{method} {path}")
        refused = next((each for each in self._refusals if each[0] == method and path.startswith(each[1])), None)
        if refused is not None:
            return _status(refused[2], refused[3], kind=path.rpartition("/")[2])
        if path.endswith("/log"):
            return 200, self.logs.get((path.split("/")[-2], query.get("container", "")), "")
        if method == "POST":
            made = {"creationTimestamp": "2026-11-25T10:00:00Z", "uid": "u-1", "resourceVersion": "1"}
            found = {**body, "metadata": {**made, **body["metadata"]}}
            if "dryRun" not in query:
                self.objects[f"{path}/{body['metadata']['name']}"] = found
            return 201, found
        if path in COLLECTIONS:
            return 200, {"metadata": {"resourceVersion": "1"}, "items": self._listed(path, query)}
        if path.rpartition("/")[0] not in COLLECTIONS:
            return 404, "404 page not found\n"
        if path not in self.objects:
            collection, _, name = path.rpartition("/")
            kind = collection.rpartition("/")[2]
            return _status(404, f'{kind} "{name}" not found', kind=kind, name=name)
        if method == "PATCH":  # of a spec alone
            self.objects[path]["spec"] |= body["spec"]
        return 200, self.objects.pop(path) if method == "DELETE" else self.objects[path]

    def _listed(self, collection: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        items = [each for path, each in self.objects.items() if path.rpartition("/")[0] == collection]
        label, _, value = query.get("labelSelector", "").partition("=")
        if label:
            labels = [(each, each["metadata"].get("labels") or {}) for each in items]
            items = [each for each, held in labels if label in held and value in ("", held[label])]
        field, _, wanted = query.get("fieldSelector", "").partition("=")
        if field == "involvedObject.name":
            return [each for each in items if each["involvedObject"]["name"] == wanted]
        return [each for each in items if not field or each[field] == wanted]

    def _handler(api) -> type[BaseHTTPRequestHandler]:  # noqa: N805  # `self` is the handler's below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                api._open.add(self.connection)

            def finish(self) -> None:
                api._open.discard(self.connection)
                super().finish()

            def respond(self) -> None:
                url = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                if "watch" in query:
                    self.watch(float(query["timeoutSeconds"]))
                    return
                status, content = api.answer(self.command, url.path, query, body)
                text = content if isinstance(content, str) else json.dumps(content)
                self.send_response(status)
                self.send_header("Content-Type", "text/plain" if isinstance(content, str) else "application/json")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())
                api.after(self.command, url.path)

            def watch(self, seconds: float) -> None:
                """A watch during which nothing happens; shorter than asked for, for the tests' sake."""
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Connection", "close")
                self.end_headers()
                time.sleep(min(seconds, 0.1))
                self.close_connection = True

            do_GET = do_POST = do_DELETE = do_PATCH = respond  # noqa: N815  # http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _status(code: int, message: str, **details: str) -> tuple[int, dict[str, Any]]:
    content = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return code, {**content, "code": code, **({} if code == 401 else {"details": details})}
