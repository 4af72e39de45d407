"""Submitting and following without a cluster: whoever answers otherwise than Kubeflow Pipelines, each in a line.

The answers are real ones, over HTTP: nobody at the port, another web server, one that wants to know who it is, one that
goes away while a run is followed. What a real server does is in `tests/e2e/test_kubeflow_pipelines.py`.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from boxtune.cli.main import run_command
from boxtune.errors import ClusterError, Unreachable
from pipelines import following
from pipelines.following import Step, follow, last_words
from pipelines.server import HOST_VARIABLE, TOKEN_VARIABLE, connect
from pipelines.steps.given import Changes, prepared
from tests.conftest import EXPERIMENTS, QUICK_START
from tests.experiments import boxtune

Answer = tuple[int, object]
HEALTH = "/apis/v2beta1/healthz"
RUN = "/apis/v2beta1/runs/r1"
BEGUN = "2026-11-27T17:00:00Z"


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[str], Answer]], str]]:
    """Starts a server that answers as it is told; gives its address."""
    servers: list[ThreadingHTTPServer] = []

    def started(answer: Callable[[str], Answer]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = answer(self.path)
                content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


def healthy(multi_user: bool = False) -> Answer:
    return 200, {"multi_user": multi_user, "pipeline_store": "database"}


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOST_VARIABLE, raising=False)
    with pytest.raises(ClusterError, match="no server: give --host"):
        connect(None, None)
    with pytest.raises(ClusterError, match="begins with http"):
        connect("localhost:8888", None)


def test_nobody_there() -> None:
    with pytest.raises(
        Unreachable, match=r"no Kubeflow Pipelines at http://127\.0\.0\.1:\d+: .*Connection refused; kubectl"
    ):
        connect(f"http://127.0.0.1:{closed_port()}", None)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((404, "<html>not found</html>"), "is no Kubeflow Pipelines from 2.0 on"),
        ((200, "<html>a login page</html>"), "its answer is none of Kubeflow Pipelines'"),
        ((401, {}), f"put a token into {TOKEN_VARIABLE}"),
        ((403, {"message": "RBAC: access denied"}), "no rights: RBAC: access denied"),
    ],
)
def test_another_server(serve: Callable[..., str], answer: Answer, said: str) -> None:
    with pytest.raises(ClusterError) as wrong:
        connect(serve(lambda path: answer), None)
    assert said in str(wrong.value)
    assert len(str(wrong.value).splitlines()) == 1


def test_the_namespace_is_a_profile_s(serve: Callable[..., str]) -> None:
    several, one = serve(lambda path: healthy(True)), serve(lambda path: healthy())
    with pytest.raises(ClusterError, match="serves several Profiles"):
        connect(several, None)
    assert connect(several, "mine").namespace == "mine"
    with pytest.raises(ClusterError, match="leave --namespace out"):
        connect(one, "mine")


def task(name: str, state: str, seconds: int = 5, *children: str) -> dict[str, object]:
    return {
        "display_name": name, "state": state, "create_time": BEGUN, "start_time": BEGUN,
        "end_time": f"2026-11-27T17:00:{seconds:02d}Z" if state != "RUNNING" else "0001-01-01T00:00:00Z",
        "child_tasks": [{"pod_name": each} for each in children],
    }  # fmt: skip


def test_a_run_is_followed_though_the_server_goes_away(
    serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_LOOK_SECONDS", 0.05)
    own = task("flow", "RUNNING", 0, "flow-1")
    answers = iter(
        [
            (200, {"state": "RUNNING", "run_details": {"task_details": [own, task("digests", "RUNNING")]}}),
            (503, "<html>away</html>"),
            (200, {"state": "RUNNING", "run_details": {"task_details": [own, task("digests", "SUCCEEDED", 7)]}}),
            (200, {"state": "FAILED", "run_details": {"task_details": [
                own, task("digests", "SUCCEEDED", 7), task("check-data", "SUCCEEDED", 0),
                task("train", "FAILED", 9), task("executor", "FAILED", 9, "flow-77")]}}),
        ]
    )  # fmt: skip
    log = "I1127 launcher\nboxtune: no such split\nE1127 failed\n"
    kept: dict[str, Answer] = {}

    def answer(path: str) -> Answer:
        if path.startswith(HEALTH):
            return healthy()
        if path.endswith("/log"):
            assert path == "/apis/v1alpha1/runs/r1/nodes/flow-system-container-impl-77/log"
            return 200, log
        assert path == RUN
        kept["last"] = next(answers, kept.get("last", (500, {})))
        return kept["last"]

    server = connect(serve(answer), None)
    seen: list[Step] = []
    notices: list[str] = []
    end = follow(server, "r1", seen.append, notices.append)
    assert end.state == "FAILED"
    assert [(each.name, each.state, each.seconds, each.cached) for each in seen] == [
        ("digests", "RUNNING", 0.0, False),
        ("digests", "SUCCEEDED", 7.0, False),
        ("check-data", "SUCCEEDED", 0.0, True),
        ("train", "FAILED", 9.0, False),
    ]
    assert len(notices) == 2
    assert "trying again" in notices[0]
    assert last_words(server, "r1") == ["train: no such split"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say which pipeline"),
        (("tune_and_trian",), "no such pipeline"),
        (("tune_and_train", "--data", "gs://a/b"), "experiment: must be given for tune_and_train"),
        (("tune_and_train", "--data", "/data/drones"), "the steps on a cluster do not see this machine"),
        (("tune_and_train", "--data", "/data/drones", "--upload", "s3://a/b"), "no such file or folder"),
        (("tune_and_train", "--data", "gs://a/b", "-p", "seeds=many"), 'seeds: "many" must be a whole number'),
        (("tune_and_train", "--data", "gs://a/b", "--experiment", "nowhere.yaml"), "nowhere.yaml"),
        (("tune_and_train", "--data", "gs://a/b", "-p", "gpus=two"), 'gpus: "two" must be a number from 1'),
        (("tune_and_train", "--data", "gs://a/b", "-p", "memory=lots"), 'memory: "lots" must be an amount of memory'),
        (
            ("tune_and_train", "--data", "gs://a/b", "-p", "tolerations=[1]"),
            "tolerations: must be a list of tolerations",
        ),
        (("tune_and_train", "--data", "gs://a/b", "-p", 'node_selector={"a": 1}'), "node_selector: must have texts"),
    ],
)
def test_what_is_wrong_is_said_before_a_server_is_asked(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["pipeline", "submit", *arguments, "--host", f"http://127.0.0.1:{closed_port()}"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    given = ["--experiment", str(QUICK_START.with_suffix(".yaml")), "--data", "gs://a/b"]
    ended = boxtune("pipeline", "submit", "tune_and_train", *given, "--host", f"http://127.0.0.1:{closed_port()}")
    assert ended.code == 2
    assert ended.reason.startswith("boxtune: no Kubeflow Pipelines at http://127.0.0.1:")


def test_one_of_several_experiments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By --name, as the message says; the right one is handed on, and only then is the server asked."""
    text = (EXPERIMENTS / "random-search.yaml").read_text()
    file = tmp_path / "two.yaml"
    file.write_text(f"{text}---\n{text[text.index('apiVersion: kubeflow.org') :].replace('random-search', 'other')}")
    host = f"http://127.0.0.1:{closed_port()}"
    words = ["pipeline", "submit", "tune_and_train", "--experiment", str(file), "--data", "gs://b/d", "--host", host]
    for more, says in (
        ([], "choose one: --name NAME"),
        (["--name", "third"], "has no Experiment third; it has random-search, other"),
        (["--name", "other"], host),
    ):
        assert run_command([*words, *more]) == 2
        assert says in capsys.readouterr().err
    [chosen] = [each for each in yaml.safe_load_all(prepared(file, Changes(), "other")) if each["kind"] == "Experiment"]
    assert chosen["metadata"]["name"] == "other"
    away = ["pipeline", "submit", "tune_and_train", "--experiment", "gs://b/e.yaml", "--data", "gs://b/d"]
    assert run_command([*away, "--name", "other", "--host", host]) == 2
    assert "chooses an Experiment of a file of this machine" in capsys.readouterr().err
